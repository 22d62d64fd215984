package io.nightshift.jobs.backup;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.backup.ServerFacts.Safety;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Decides whether a server can give a base backup, and what is unwise about it; each with the way to mend it. */
record Preflight(String cluster, ServerFacts facts) {

    private static final Duration LARGEST_SKEW = Duration.ofSeconds(5);
    private static final int WITH_SUMMARIES = 17;

    private record Obstacle(FailureKind kind, String fact, String hint) {}

    /** Throws with everything that is in the way; who must act on the first of it must act first. */
    void requireBackupPossible() {
        List<Obstacle> obstacles = obstacles();
        if (!obstacles.isEmpty()) {
            throw new NightshiftException(
                    obstacles.get(0).kind(),
                    "base backup of cluster " + cluster + " is not possible: "
                            + obstacles.stream().map(Obstacle::fact).collect(Collectors.joining("; ")),
                    obstacles.stream().map(Obstacle::hint).collect(Collectors.joining("; ")));
        }
    }

    private List<Obstacle> obstacles() {
        List<Obstacle> obstacles = new ArrayList<>();
        if (!facts.version().isSupported()) {
            obstacles.add(new Obstacle(
                    FailureKind.CONFIGURATION,
                    "PostgreSQL " + facts.version() + " is not supported",
                    "supported: " + PostgresVersion.OLDEST_SUPPORTED_MAJOR + " to "
                            + PostgresVersion.NEWEST_SUPPORTED_MAJOR));
        }
        if (!facts.role().mayReplicate()) {
            obstacles.add(new Obstacle(
                    FailureKind.CONFIGURATION,
                    "role " + facts.role().name() + " may not replicate",
                    "ALTER ROLE \"" + facts.role().name().replace("\"", "\"\"") + "\" REPLICATION"));
        }
        // A server that logs too little can have neither senders nor slots.
        if (facts.walLevel().equals("minimal")) {
            obstacles.add(new Obstacle(
                    FailureKind.CONFIGURATION,
                    "wal_level is minimal",
                    "set wal_level = replica and restart the server"));
            return obstacles;
        }
        if (facts.senders().free() < 1) {
            obstacles.add(new Obstacle(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "all " + facts.senders().most() + " WAL senders are in use",
                    "raise max_wal_senders and restart the server, or do not overlap this job with other backups"));
        }
        if (facts.slots().free() < 1) {
            obstacles.add(new Obstacle(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "all " + facts.slots().most() + " replication slots are in use",
                    "raise max_replication_slots and restart the server, or drop a slot that nobody uses"));
        }
        if (facts.safety().inRecovery() && !facts.safety().fullPageWrites()) {
            obstacles.add(new Obstacle(
                    FailureKind.CONFIGURATION,
                    "full_page_writes is off, and the source is a standby",
                    "set full_page_writes = on at the primary, or take the backup from the primary"));
        }
        return obstacles;
    }

    /** What does not keep a backup from being taken, but from being as good as it could be. */
    List<Finding> findings() {
        Safety safety = facts.safety();
        List<Finding> findings = new ArrayList<>();
        if (!safety.fsync()) {
            findings.add(finding(
                    "fsync",
                    Severity.WARNING,
                    "fsync is off: after a crash of its machine the data can be corrupt, and then each backup of it",
                    "set fsync = on"));
        }
        if (!safety.fullPageWrites() && !safety.inRecovery()) {
            findings.add(finding(
                    "full-page-writes",
                    Severity.WARNING,
                    "full_page_writes is off: after a crash of its machine pages can be torn; the server turns them on"
                            + " only while a backup runs",
                    "set full_page_writes = on"));
        }
        if (!safety.dataChecksums()) {
            findings.add(finding(
                    "data-checksums",
                    Severity.INFO,
                    "data checksums are off: the server cannot notice pages that its disk has changed",
                    "stop the server and run pg_checksums --enable"));
        }
        if (facts.version().major() >= WITH_SUMMARIES && Boolean.FALSE.equals(safety.summarizesWal())) {
            findings.add(finding(
                    "summarize-wal",
                    Severity.INFO,
                    "summarize_wal is off: incremental backups need it",
                    "set summarize_wal = on and reload"));
        }
        if (facts.clockAhead().abs().compareTo(LARGEST_SKEW) > 0) {
            findings.add(finding(
                    "clock",
                    Severity.WARNING,
                    "its clock is " + Durations.print(facts.clockAhead().abs())
                            + (facts.clockAhead().isNegative() ? " behind" : " ahead of") + " this machine's",
                    "let both follow the same time servers: a restore to a point in time goes by the server's clock"));
        }
        if (facts.walKept() >= 0) {
            findings.add(finding(
                    "max-slot-wal-keep-size",
                    Severity.INFO,
                    "max_slot_wal_keep_size is " + DataSize.ofMegabytes(facts.walKept())
                            + ": a backup fails that takes longer than the server takes to write that much WAL",
                    "raise it above the WAL of the longest backup"));
        }
        return findings;
    }

    private Finding finding(String word, Severity severity, String detail, String remedy) {
        return new Finding("backup/source/" + word, severity, "server of cluster " + cluster, detail, remedy);
    }
}
