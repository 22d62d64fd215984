package io.nightshift.jobs.backup;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.Capability;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.backup.SourceState.Capacity;
import io.nightshift.jobs.backup.SourceState.Summarizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Decides whether a server can give a base backup, and what is unwise about it; each with the way to mend it. */
record Preflight(String cluster, SourceState state) {

    private static final Duration LARGEST_SKEW = Duration.ofSeconds(5);
    /** Summaries are made in bursts; a summarizer that sleeps is up to half a minute of WAL behind. */
    private static final DataSize LARGEST_BACKLOG = DataSize.ofMegabytes(1024);

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
        ServerFacts facts = state.facts();
        List<Obstacle> obstacles = new ArrayList<>();
        if (!facts.version().isSupported()) {
            obstacles.add(new Obstacle(
                    FailureKind.CONFIGURATION,
                    "PostgreSQL " + facts.version() + " is not supported",
                    "supported: " + PostgresVersion.OLDEST_SUPPORTED_MAJOR + " to "
                            + PostgresVersion.NEWEST_SUPPORTED_MAJOR));
        }
        facts.lack(Capability.REPLICATION)
                .ifPresent(lack -> obstacles.add(new Obstacle(FailureKind.CONFIGURATION, lack.fact(), lack.remedy())));
        // A server that logs too little can have neither senders nor slots.
        if (state.walLevel().equals("minimal")) {
            obstacles.add(new Obstacle(
                    FailureKind.CONFIGURATION,
                    "wal_level is minimal",
                    "ALTER SYSTEM SET wal_level = replica; "
                            + raised("max_wal_senders", state.senders())
                            + raised("max_replication_slots", state.slots())
                            + "then restart the server"));
            return obstacles;
        }
        if (state.senders().free() < 1) {
            obstacles.add(
                    new Obstacle(
                            FailureKind.RESOURCES_EXHAUSTED,
                            state.senders().most() == 0
                                    ? "max_wal_senders is 0"
                                    : "all " + state.senders().most() + " WAL senders are in use",
                            state.senders().most() == 0
                                    ? raised("max_wal_senders", state.senders()) + "then restart the server"
                                    : "raise max_wal_senders and restart the server, or do not overlap this job with other backups"));
        }
        if (state.slots().free() < 1) {
            obstacles.add(new Obstacle(
                    FailureKind.RESOURCES_EXHAUSTED,
                    state.slots().most() == 0
                            ? "max_replication_slots is 0"
                            : "all " + state.slots().most() + " replication slots are in use",
                    state.slots().most() == 0
                            ? raised("max_replication_slots", state.slots()) + "then restart the server"
                            : "raise max_replication_slots and restart the server, or drop a slot that nobody uses"));
        }
        if (facts.inRecovery() && !state.fullPageWrites()) {
            obstacles.add(new Obstacle(
                    FailureKind.CONFIGURATION,
                    "full_page_writes is off, and the source is a standby",
                    "at the primary: " + set("full_page_writes")
                            + ", then CHECKPOINT there and here; or take the backup from the primary"));
        }
        return obstacles;
    }

    /** What does not keep a backup from being taken, but from being as good as it could be. */
    List<Finding> findings() {
        ServerFacts facts = state.facts();
        List<Finding> findings = new ArrayList<>();
        if (!facts.isOn("fsync")) {
            findings.add(finding(
                    "fsync",
                    Severity.WARNING,
                    "fsync is off: after a crash of its machine the data can be corrupt, and then each backup of it",
                    set("fsync")));
        }
        if (!state.fullPageWrites() && !facts.inRecovery()) {
            findings.add(finding(
                    "full-page-writes",
                    Severity.WARNING,
                    "full_page_writes is off: after a crash of its machine pages can be torn; the server turns them on"
                            + " only while a backup runs",
                    set("full_page_writes")));
        }
        facts.lack(Capability.DATA_CHECKSUMS)
                .map(lack -> finding(
                        "data-checksums",
                        Severity.INFO,
                        lack.fact() + ": the server cannot notice pages that its disk has changed",
                        lack.remedy()))
                .ifPresent(findings::add);
        facts.lack(Capability.WAL_SUMMARIES)
                .filter(lack -> facts.setting("summarize_wal").isPresent())
                .map(lack -> finding(
                        "summarize-wal", Severity.INFO, lack.fact() + ": incremental backups need it", lack.remedy()))
                .ifPresent(findings::add);
        stalledSummarizer().ifPresent(findings::add);
        if (state.clockAhead().abs().compareTo(LARGEST_SKEW) > 0) {
            findings.add(finding(
                    "clock",
                    Severity.WARNING,
                    "its clock is " + Durations.print(state.clockAhead().abs())
                            + (state.clockAhead().isNegative() ? " behind" : " ahead of") + " this machine's",
                    "let both follow the same time servers: a restore to a point in time goes by the server's clock"));
        }
        if (state.walKept() >= 0) {
            findings.add(finding(
                    "max-slot-wal-keep-size",
                    Severity.INFO,
                    "max_slot_wal_keep_size is " + DataSize.ofMegabytes(state.walKept())
                            + ": a backup fails that takes longer than the server takes to write that much WAL",
                    "raise it above the WAL of the longest backup"));
        }
        return findings;
    }

    private Optional<Finding> stalledSummarizer() {
        Summarizer summarizer = state.summarizer();
        if (summarizer == null) {
            return Optional.empty();
        }
        Long behind = summarizer.behind();
        boolean stalled = behind != null && behind > LARGEST_BACKLOG.bytes();
        return summarizer.running() && !stalled
                ? Optional.empty()
                : Optional.of(finding(
                        "summarizer",
                        Severity.WARNING,
                        (summarizer.running() ? "its WAL summarizer is " : "its WAL summarizer does not run")
                                + (behind == null || !summarizer.running()
                                        ? ""
                                        : new DataSize(behind).rounded() + " of WAL behind")
                                + ": incremental backups will fail, and the server keeps that WAL",
                        "see the server's log for what keeps it; to start it anew: ALTER SYSTEM SET summarize_wal = off;"
                                + " SELECT pg_reload_conf(); then the same with on"));
    }

    private static String set(String name) {
        return "ALTER SYSTEM SET " + name + " = on; SELECT pg_reload_conf()";
    }

    /** A statement, if the server has been allowed none of these. */
    private static String raised(String setting, Capacity capacity) {
        return capacity.most() == 0 ? "ALTER SYSTEM SET " + setting + " = 10; " : "";
    }

    private Finding finding(String word, Severity severity, String detail, String remedy) {
        return new Finding("backup/source/" + word, severity, "server of cluster " + cluster, detail, remedy);
    }
}
