package io.nightshift.infra.replication;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What BASE_BACKUP is asked for (PostgreSQL manual, "Streaming Replication Protocol"; the grammar of 15 and newer).
 *
 * @param label goes into {@code backup_label}; at most 1024 bytes, no control characters
 * @param checkpoint fast makes the server write at once; spread may take {@code checkpoint_timeout}
 * @param wal adds the WAL that the backup needs to {@code base.tar}; on a busy server only together with a slot made
 *     before
 * @param waitForArchive the server ends only when its last WAL segment is archived, however long that takes: an
 *     {@code idleLimit} must allow for it
 * @param maxRate bytes per second that the server sends at most; null for no limit. Whole kilobytes count, from 32 kB/s
 *     to 1 GB/s
 * @param tablespaceMap tablespaces in a file {@code tablespace_map} instead of links in the tar
 * @param verifyChecksums the server checks page checksums as it reads
 * @param manifest how the manifest checks files; null for no manifest
 * @param progress the server estimates sizes first and reports about once a second
 * @param incremental only what has changed since the backup whose manifest this connection has uploaded; PostgreSQL 17
 *     and newer, with {@code summarize_wal}
 * @param idleLimit how long the server may be silent after its checkpoint; null for ever
 */
public record BaseBackupOptions(
        String label,
        Checkpoint checkpoint,
        boolean wal,
        boolean waitForArchive,
        @Nullable Long maxRate,
        boolean tablespaceMap,
        boolean verifyChecksums,
        @Nullable ManifestChecksum manifest,
        boolean progress,
        boolean incremental,
        @Nullable Duration idleLimit) {

    /** How the server makes the checkpoint that a backup begins with. */
    public enum Checkpoint {
        FAST,
        SPREAD
    }

    private static final int LONGEST_LABEL = 1024;
    private static final long KILOBYTE = 1024;
    private static final long LOWEST_RATE = 32 * KILOBYTE;
    private static final long HIGHEST_RATE = 1_048_576 * KILOBYTE;

    public BaseBackupOptions {
        if (label.getBytes(StandardCharsets.UTF_8).length > LONGEST_LABEL) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "backup label of " + label.length() + " characters is longer than " + LONGEST_LABEL + " bytes");
        }
        if (maxRate != null && (maxRate < LOWEST_RATE || maxRate > HIGHEST_RATE)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "rate limit of " + maxRate + " bytes per second is outside " + LOWEST_RATE + " to " + HIGHEST_RATE,
                    "PostgreSQL limits a base backup to 32 kB to 1 GB per second; leave the limit out for full speed");
        }
        if (idleLimit != null && (idleLimit.isNegative() || idleLimit.isZero())) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION, "idle limit of " + idleLimit + " is not longer than nothing");
        }
    }

    /**
     * A backup with a manifest of CRC-32C, a tablespace map and checked pages, from a spread checkpoint, without WAL and
     * without waiting for the archive, at full speed.
     */
    public static Builder labelled(String label) {
        return new Builder(label);
    }

    String command() {
        List<String> options = new ArrayList<>();
        options.add("LABEL " + Quoting.string(label));
        options.add("CHECKPOINT " + (checkpoint == Checkpoint.FAST ? "'fast'" : "'spread'"));
        options.add("WAL " + wal);
        options.add("WAIT " + waitForArchive);
        if (maxRate != null) {
            options.add("MAX_RATE " + maxRate / KILOBYTE);
        }
        options.add("TABLESPACE_MAP " + tablespaceMap);
        options.add("VERIFY_CHECKSUMS " + verifyChecksums);
        options.add("PROGRESS " + progress);
        if (manifest != null) {
            options.add("MANIFEST 'yes'");
            options.add("MANIFEST_CHECKSUMS '" + manifest + "'");
        }
        if (incremental) {
            options.add("INCREMENTAL");
        }
        return "BASE_BACKUP (" + String.join(", ", options) + ")";
    }

    /** Options on their way; every method changes one and returns the builder. */
    public static final class Builder {

        private final String label;
        private Checkpoint checkpoint = Checkpoint.SPREAD;
        private boolean wal;
        private boolean waitForArchive;
        private @Nullable Long maxRate;
        private boolean tablespaceMap = true;
        private boolean verifyChecksums = true;
        private @Nullable ManifestChecksum manifest = ManifestChecksum.CRC32C;
        private boolean progress;
        private boolean incremental;
        private @Nullable Duration idleLimit;

        private Builder(String label) {
            this.label = label;
        }

        public Builder checkpoint(Checkpoint kind) {
            checkpoint = kind;
            return this;
        }

        public Builder wal(boolean include) {
            wal = include;
            return this;
        }

        public Builder waitForArchive(boolean wait) {
            waitForArchive = wait;
            return this;
        }

        public Builder maxRate(@Nullable Long bytesPerSecond) {
            maxRate = bytesPerSecond;
            return this;
        }

        public Builder tablespaceMap(boolean map) {
            tablespaceMap = map;
            return this;
        }

        public Builder verifyChecksums(boolean verify) {
            verifyChecksums = verify;
            return this;
        }

        public Builder manifest(@Nullable ManifestChecksum checksum) {
            manifest = checksum;
            return this;
        }

        public Builder progress(boolean report) {
            progress = report;
            return this;
        }

        public Builder incremental(boolean changedOnly) {
            incremental = changedOnly;
            return this;
        }

        public Builder idleLimit(@Nullable Duration limit) {
            idleLimit = limit;
            return this;
        }

        public BaseBackupOptions build() {
            return new BaseBackupOptions(
                    label,
                    checkpoint,
                    wal,
                    waitForArchive,
                    maxRate,
                    tablespaceMap,
                    verifyChecksums,
                    manifest,
                    progress,
                    incremental,
                    idleLimit);
        }
    }
}
