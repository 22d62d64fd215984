package io.nightshift.jobs.proof;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.jobs.proof.CheckResult.Wrong;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads from the copy what was read from the source, and says where they differ. For one use. */
final class RowComparison {

    private final RestoredCopy copy;
    private final Fingerprint source;
    private final CheckTime time;
    private final Cancellation cancellation;
    private final List<Wrong> wrong = new ArrayList<>();
    private final List<NotEvaluated> gaps = new ArrayList<>();
    private final List<Fingerprint.Part> notReached = new ArrayList<>();
    private boolean timeWasOver;
    private int compared;

    RowComparison(RestoredCopy copy, Fingerprint source, CheckTime time, Cancellation cancellation) {
        this.copy = copy;
        this.source = source;
        this.time = time;
        this.cancellation = cancellation;
    }

    CheckResult addTo(CheckResult result) {
        Map<String, List<Fingerprint.Part>> byDatabase = new LinkedHashMap<>();
        source.tables().keySet().forEach(database -> byDatabase.put(database, new ArrayList<>()));
        source.parts()
                .forEach(part -> byDatabase
                        .computeIfAbsent(part.database(), database -> new ArrayList<>())
                        .add(part));
        byDatabase.forEach(this::compare);
        if (!notReached.isEmpty()) {
            gaps.add(new NotEvaluated(
                    "rows of " + RestoreTestReport.count(notReached.size(), "table", "tables"),
                    "not read from the copy within digest-limit " + Durations.print(time.limit()) + ", the first: "
                            + notReached.get(0).name(),
                    List.of(RestoreTestReport.KEY + "rows/")));
        }
        return result.with(compared, notReached.isEmpty() && !timeWasOver, wrong, gaps);
    }

    private void compare(String database, List<Fingerprint.Part> parts) {
        try (CopySession session = CopySession.open(copy, database, time, cancellation)) {
            TableDigest.prepare(session);
            for (Fingerprint.Part part : parts) {
                if (time.isOver()) {
                    notReached.add(part);
                } else {
                    compare(session, part);
                }
            }
            List<String> known = source.tables().get(database);
            if (known != null) {
                findMore(session, database, new HashSet<>(known));
            }
        } catch (SQLException e) {
            judge(database, e);
        }
    }

    private void compare(CopySession session, Fingerprint.Part part) {
        try {
            TableDigest here = TableDigest.read(session, part.table(), part.where());
            compared++;
            difference(part.digest(), here)
                    .ifPresent(fact -> wrong.add(Wrong.damage("rows", part.name(), source.source() + " " + fact)));
        } catch (SQLException e) {
            if (CheckFailure.of(e) == CheckFailure.TIME_IS_OVER && !cancellation.isCancelled()) {
                notReached.add(part);
            } else {
                judge(part.name(), e);
            }
        }
    }

    /** What differs, after the name of the source; empty if nothing does. */
    static Optional<String> difference(TableDigest there, TableDigest here) {
        if (there.equals(here)) {
            return Optional.empty();
        }
        return Optional.of(
                there.rows() == here.rows()
                        ? "and the copy have " + RestoreTestReport.count(there.rows(), "row", "rows")
                                + " each, but not the same"
                        : "has " + RestoreTestReport.count(there.rows(), "row", "rows") + ", the copy "
                                + RestoreTestReport.number(here.rows()));
    }

    /** Tables that the source has not. */
    private void findMore(CopySession session, String database, Set<String> known) throws SQLException {
        for (TableDigest.Named table : TableDigest.Named.in(session, database)) {
            if (!known.contains(table.toString())) {
                wrong.add(Wrong.damage("rows", table.toString(), source.source() + " has no such table, the copy has"));
            }
        }
    }

    private void judge(String subject, SQLException e) {
        cancellation.check();
        switch (CheckFailure.of(e)) {
            case CONNECTION_LOST ->
                throw SqlStates.failure("the copy's server was lost while it compared " + subject, e);
            case DAMAGE -> wrong.add(Wrong.damage("rows", subject, CheckFailure.message(e)));
            case TIME_IS_OVER, NOT_JUDGED -> {
                timeWasOver |= CheckFailure.of(e) == CheckFailure.TIME_IS_OVER;
                boolean isAbsent = "42P01".equals(e.getSQLState()) || "3D000".equals(e.getSQLState());
                if (isAbsent) {
                    wrong.add(Wrong.damage(
                            "rows", subject, source.source() + " has it, the copy not: " + CheckFailure.message(e)));
                } else {
                    gaps.add(new NotEvaluated(
                            "rows of " + subject,
                            "not read from the copy: " + CheckFailure.message(e),
                            List.of(RestoreTestReport.KEY + "rows/" + subject)));
                }
            }
        }
    }
}
