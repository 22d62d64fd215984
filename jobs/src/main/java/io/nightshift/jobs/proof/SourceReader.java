package io.nightshift.jobs.proof;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.routing.NodeObservation;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads the rows of the source, on a standby or, of closed ranges, on the primary. For one use. */
final class SourceReader {

    private static final DataSize ANY_LAG = new DataSize(Long.MAX_VALUE);
    private static final Duration FORMS_LIMIT = Duration.ofMinutes(1);
    private static final String CHANGED = "truncated, rewritten or altered while the standby was read";

    private final ManagedCluster cluster;
    private final RunContext run;
    private final CheckTime time;
    private final List<Fingerprint.Part> parts = new ArrayList<>();
    private final Map<String, List<String>> names = new LinkedHashMap<>();
    private final List<NotEvaluated> gaps = new ArrayList<>();
    private final Map<String, List<String>> failed = new LinkedHashMap<>();
    private final List<TableDigest.Named> notReached = new ArrayList<>();

    SourceReader(ManagedCluster cluster, RunContext run, CheckTime time) {
        this.cluster = cluster;
        this.run = run;
        this.time = time;
    }

    /** Whether the cluster has a standby that answers. */
    boolean hasStandby() {
        return !cluster.observeNow().standbys().isEmpty();
    }

    /** All tables of a standby at one location of the WAL, the smallest first, for as long as there is time. */
    Fingerprint ofStandby(SystemIdentifier system) throws SQLException {
        ManagedNode standby = cluster.node(new Intent.Standby(ANY_LAG));
        Timeline timeline = timeline(standby, system);
        List<String> databases = databases(standby);
        try (StandbySnapshot snapshot =
                StandbySnapshot.of(standby, databases, run.purpose(), time, run.cancellation())) {
            run.measured(new Figure("replay stood still", snapshot.stoodStill().toMillis() / 1000.0, "s"));
            List<TableDigest.Named> tables = new ArrayList<>();
            for (Map.Entry<String, CopySession> session : snapshot.sessions().entrySet()) {
                List<TableDigest.Named> found = TableDigest.Named.in(session.getValue(), session.getKey());
                names.put(
                        session.getKey(),
                        found.stream().map(TableDigest.Named::toString).toList());
                tables.addAll(found);
            }
            tables.sort(Comparator.comparingLong(TableDigest.Named::bytes));
            run.progress()
                    .begin(
                            "read the standby",
                            tables.stream().mapToLong(TableDigest.Named::bytes).sum(),
                            "bytes");
            tables.forEach(
                    table -> read(Objects.requireNonNull(snapshot.sessions().get(table.database())), table));
            leaveOutChanged(standby, tables);
            tellNotReached();
            tellFailed();
            return new Fingerprint(
                    new Fingerprint.Point(snapshot.location(), timeline),
                    "standby " + standby.address() + " at " + snapshot.location(),
                    parts,
                    names,
                    gaps,
                    notReached.isEmpty());
        }
    }

    private Timeline timeline(ManagedNode standby, SystemIdentifier system) {
        NodeObservation.Answered seen = cluster.observed().standbys().stream()
                .filter(node -> node.node().equals(standby.address()))
                .findFirst()
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE, standby.address() + " is no standby any more"));
        if (!seen.system().equals(system)) {
            throw new NightshiftException(
                    FailureKind.REFUSED, standby.address() + " is not of the cluster that the backup is of");
        }
        return seen.timeline();
    }

    private List<String> databases(ManagedNode standby) throws SQLException {
        try (CopySession session = CopySession.of(standby.direct(run.purpose()), time, run.cancellation())) {
            return session
                    .rows("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1")
                    .stream()
                    .map(row -> Objects.requireNonNull(row.get(0)))
                    .filter(cluster.config().databases()::includes)
                    .toList();
        }
    }

    private void read(CopySession session, TableDigest.Named table) {
        if (time.isOver()) {
            notReached.add(table);
            return;
        }
        try {
            TableDigest digest = session.attempt(() -> TableDigest.read(session, table.quoted(), "true"));
            parts.add(new Fingerprint.Part(table.toString(), table.database(), table.quoted(), "true", digest));
        } catch (SQLException e) {
            run.cancellation().check();
            if (CheckFailure.of(e) == CheckFailure.TIME_IS_OVER) {
                notReached.add(table);
            } else {
                failed(table.toString(), e);
            }
        }
        run.progress().advance(table.bytes());
    }

    /** Rows of what was truncated, rewritten or altered meanwhile are not those of the snapshot, where it was read after that. */
    private void leaveOutChanged(ManagedNode standby, List<TableDigest.Named> read) throws SQLException {
        Set<String> same = new HashSet<>();
        for (String database : names.keySet()) {
            try (CopySession session = CopySession.of(
                    standby.direct(database, run.purpose()), new CheckTime(FORMS_LIMIT), run.cancellation())) {
                TableDigest.prepare(session);
                TableDigest.Named.in(session, database).forEach(table -> same.add(table + " " + table.form()));
            }
        }
        Set<String> changed = read.stream()
                .filter(table -> !same.contains(table + " " + table.form()))
                .map(TableDigest.Named::toString)
                .collect(Collectors.toSet());
        List<Fingerprint.Part> others =
                parts.stream().filter(part -> changed.contains(part.name())).toList();
        parts.removeAll(others);
        others.forEach(part ->
                failed.computeIfAbsent(CHANGED, first -> new ArrayList<>()).add(part.name()));
    }

    private void failed(String name, SQLException e) {
        failed.computeIfAbsent(CheckFailure.message(e), first -> new ArrayList<>())
                .add(name);
    }

    private void tellFailed() {
        failed.forEach((reason, of) -> gaps.add(new NotEvaluated(
                "rows of " + of.get(0) + (of.size() == 1 ? "" : " and " + (of.size() - 1) + " more"),
                "not read at the source: " + reason,
                of.stream().map(name -> RestoreTestReport.KEY + "rows/" + name).toList())));
    }

    private void tellNotReached() {
        if (!notReached.isEmpty()) {
            gaps.add(new NotEvaluated(
                    "rows of " + RestoreTestReport.count(notReached.size(), "table", "tables") + ", "
                            + RestoreTestReport.bytes(notReached.stream()
                                    .mapToLong(TableDigest.Named::bytes)
                                    .sum()),
                    "not read at the source within digest-limit " + Durations.print(time.limit()) + ", the first: "
                            + notReached.get(0),
                    List.of(RestoreTestReport.KEY + "rows/")));
        }
    }

    /** Rows that do not change, on the primary. */
    Fingerprint ofClosedRanges(List<ClosedRange> ranges) {
        run.progress().begin("read closed ranges", (long) ranges.size(), "ranges");
        boolean reachedAll = true;
        for (ClosedRange range : ranges) {
            try (CopySession session = CopySession.of(
                    cluster.direct(Intent.PRIMARY, range.database(), run.purpose()), time, run.cancellation())) {
                TableDigest.prepare(session);
                parts.add(new Fingerprint.Part(
                        range.toString(),
                        range.database(),
                        range.table(),
                        range.where(),
                        TableDigest.read(session, range.table(), range.where())));
            } catch (SQLException e) {
                run.cancellation().check();
                reachedAll &= CheckFailure.of(e) != CheckFailure.TIME_IS_OVER;
                failed(range.toString(), e);
            }
            run.progress().advance(1);
        }
        tellFailed();
        return new Fingerprint(null, "primary", parts, Map.of(), gaps, reachedAll);
    }

    /** Why a standby could not be read. */
    static String reason(Exception failure) {
        if (failure instanceof SQLException sql) {
            boolean isForbidden = SqlStates.INSUFFICIENT_PRIVILEGE.equals(sql.getSQLState());
            return CheckFailure.message(sql) + (isForbidden ? GRANT : "");
        }
        String message = String.valueOf(failure.getMessage());
        return message + (message.contains("pg_wal_replay") ? GRANT : "");
    }

    private static final String GRANT =
            ": GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() TO the role of nightshift";
}
