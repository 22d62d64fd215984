package io.nightshift.jobs.backup;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import io.nightshift.infra.load.LoadLimits;
import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.RunContext;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How a base backup is taken; every default and limit. */
record BackupSettings(
        @Describe("a higher level makes backups smaller and needs more CPU here, not on the server")
        String compression,

        @Describe("more threads compress faster, up to the speed of the server")
        int compressionThreads,

        @Describe(
                "fast begins at once and costs the server a burst of writes; spread waits for up to checkpoint_timeout")
        Checkpoint checkpoint,

        @Describe(
                "where the backup is read: primary, standby, or standby-preferred; a standby spares the primary the reading")
        Source source,

        @Describe("WAL that a standby may be behind; a larger value takes older backups where the standby lags")
        DataSize maxLag,

        @Describe("bytes per second that the server sends at most, 32kB to 1GB; spares its disk and the network")
        @Nullable
        DataSize maxRate,

        LoadLimits yield,

        @Describe(
                "bytes per second at which it goes on while production is beyond yield's limits; lower spares production"
                        + " more, and the server keeps its WAL longer")
        DataSize floorRate,

        @Describe("of each file in the manifest; SHA-2 costs the server CPU and shows tampering, CRC-32C shows damage")
        ManifestChecksum manifestChecksum,

        @Describe("how long the server may send nothing before the run gives up, once its checkpoint is done")
        Duration idleLimit,

        @Describe("written into backup.json for people: {ticket: OPS-7}")
        Map<String, String> labels) {

    /** Which node a backup is read from. */
    enum Source {
        PRIMARY,
        STANDBY,
        STANDBY_PREFERRED
    }

    private static final Pattern ZSTD = Pattern.compile("zstd(?::([0-9]{1,2}))?");
    private static final int STANDARD_LEVEL = 3;
    private static final int HIGHEST_LEVEL = 19;
    private static final int MOST_THREADS = 64;
    private static final long LOWEST_RATE = 32L << 10;
    private static final long HIGHEST_RATE = 1L << 30;
    private static final Duration SHORTEST_IDLE_LIMIT = Duration.ofSeconds(10);

    BackupSettings {
        Matcher zstd = ZSTD.matcher(compression);
        new Refusals()
                .when(
                        !zstd.matches() || level(zstd) < 1 || level(zstd) > HIGHEST_LEVEL,
                        "compression is \"" + compression + "\"; accepted: zstd:1 to zstd:" + HIGHEST_LEVEL)
                .when(
                        compressionThreads < 1 || compressionThreads > MOST_THREADS,
                        "compression-threads is " + compressionThreads + "; accepted: 1 to " + MOST_THREADS)
                .when(
                        maxRate != null && (maxRate.bytes() < LOWEST_RATE || maxRate.bytes() > HIGHEST_RATE),
                        "max-rate is " + maxRate + "; accepted: 32kB to 1GB, or leave it out for full speed")
                .when(
                        floorRate.bytes() < LOWEST_RATE || floorRate.bytes() > HIGHEST_RATE,
                        "floor-rate is " + floorRate + "; accepted: 32kB to 1GB")
                .when(
                        manifestChecksum == ManifestChecksum.NONE,
                        "manifest-checksum is none; without checksums a backup cannot be verified")
                .when(idleLimit.compareTo(SHORTEST_IDLE_LIMIT) < 0, "idle-limit is shorter than 10s")
                .throwIfAny();
    }

    static BackupSettings defaults() {
        return new BackupSettings(
                "zstd:" + STANDARD_LEVEL,
                2,
                Checkpoint.SPREAD,
                Source.PRIMARY,
                DataSize.ofMegabytes(1024),
                null,
                LoadLimits.defaults(),
                DataSize.ofMegabytes(16),
                ManifestChecksum.CRC32C,
                Duration.ofMinutes(10),
                Map.of());
    }

    /** How this run takes its backup, whatever its type. */
    static BackupSettings of(RunContext run) {
        return BackupSteps.type(run.type()).needsParent()
                ? run.settings(ChainedBackupSettings.class).backup()
                : run.settings(BackupSettings.class);
    }

    /** Where the steps of the job work. */
    Intent intent() {
        return switch (source) {
            case PRIMARY -> Intent.PRIMARY;
            case STANDBY -> new Intent.Standby(maxLag);
            case STANDBY_PREFERRED -> new Intent.StandbyPreferred(maxLag);
        };
    }

    int compressionLevel() {
        Matcher zstd = ZSTD.matcher(compression);
        return zstd.matches() ? level(zstd) : STANDARD_LEVEL;
    }

    private static int level(Matcher zstd) {
        return zstd.group(1) == null ? STANDARD_LEVEL : Integer.parseInt(zstd.group(1));
    }
}
