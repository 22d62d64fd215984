package io.nightshift.jobs.backup;

import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How a base backup is taken; every default and limit. */
record BackupSettings(
        @Describe("a higher level makes backups smaller and needs more CPU here, not on the server")
        String compression,

        @Describe("more threads compress faster, up to the speed of the server")
        int compressionThreads,

        @Describe(
                "fast begins at once and costs the server a burst of writes; spread waits for up to checkpoint_timeout")
        Checkpoint checkpoint) {

    private static final Pattern ZSTD = Pattern.compile("zstd(?::([0-9]{1,2}))?");
    private static final int STANDARD_LEVEL = 3;
    private static final int HIGHEST_LEVEL = 19;
    private static final int MOST_THREADS = 64;

    BackupSettings {
        Matcher zstd = ZSTD.matcher(compression);
        new Refusals()
                .when(
                        !zstd.matches() || level(zstd) < 1 || level(zstd) > HIGHEST_LEVEL,
                        "compression is \"" + compression + "\"; accepted: zstd:1 to zstd:" + HIGHEST_LEVEL)
                .when(
                        compressionThreads < 1 || compressionThreads > MOST_THREADS,
                        "compression-threads is " + compressionThreads + "; accepted: 1 to " + MOST_THREADS)
                .throwIfAny();
    }

    static BackupSettings defaults() {
        return new BackupSettings("zstd:" + STANDARD_LEVEL, 2, Checkpoint.SPREAD);
    }

    int compressionLevel() {
        Matcher zstd = ZSTD.matcher(compression);
        return zstd.matches() ? level(zstd) : STANDARD_LEVEL;
    }

    private static int level(Matcher zstd) {
        return zstd.group(1) == null ? STANDARD_LEVEL : Integer.parseInt(zstd.group(1));
    }
}
