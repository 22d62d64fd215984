package io.nightshift.infra.incremental;

import io.nightshift.infra.incremental.RelationFork.Fork;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * The WAL summaries of a server (PostgreSQL 17 and newer, with {@code summarize_wal}): files that say which blocks a stretch
 * of WAL has changed. The server itself merges them in the order of its directory; here they are merged in the order of the
 * WAL. Any role that may log in may read them.
 */
public final class WalSummaries {

    /** Rows that are fetched at a time: a summary has one for each changed block. */
    private static final int FETCHED = 10_000;

    private static final String AVAILABLE =
            "SELECT tli, start_lsn::text, end_lsn::text FROM pg_available_wal_summaries()";

    private static final String CONTENTS = """
            SELECT reltablespace, reldatabase, relfilenode, relforknumber, relblocknumber, is_limit_block
              FROM pg_wal_summary_contents(?, ?::pg_lsn, ?::pg_lsn)
            """;

    private WalSummaries() {}

    /**
     * What the WAL of these ranges has changed; of a summary that reaches further, all of it.
     *
     * @param ranges oldest first, each on its timeline
     * @throws NightshiftException REFUSED when the summaries do not cover the ranges, and where the server has none
     */
    public static BlockChanges changes(Connection connection, List<WalRange> ranges) {
        return merge(connection, CONTENTS, available -> covering(available, ranges));
    }

    /** Only which relations it has truncated, as far as the summaries go: the newest WAL may not be summarized yet. */
    public static BlockChanges truncations(Connection connection, List<WalRange> ranges) {
        return merge(
                connection,
                CONTENTS + " WHERE is_limit_block",
                available -> covering(available, reached(available, ranges)));
    }

    /** The ranges, the last of them no further than there is a summary. */
    private static List<WalRange> reached(List<WalRange> summaries, List<WalRange> ranges) {
        WalRange last = ranges.get(ranges.size() - 1);
        Lsn end = summaries.stream()
                .filter(summary -> summary.timeline().equals(last.timeline()))
                .map(WalRange::end)
                .filter(last.start()::isBefore)
                .max(Lsn::compareTo)
                .orElse(last.start());
        List<WalRange> reached = new ArrayList<>(ranges.subList(0, ranges.size() - 1));
        reached.add(new WalRange(last.timeline(), last.start(), end));
        return reached;
    }

    private static BlockChanges merge(
            Connection connection, String contents, Function<List<WalRange>, List<WalRange>> wanted) {
        try {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(false); // the driver fetches in portions only inside a transaction
            try {
                var changes = new BlockChanges();
                for (WalRange summary : wanted.apply(available(connection))) {
                    read(connection, contents, summary, changes);
                }
                return changes;
            } finally {
                connection.rollback();
                connection.setAutoCommit(autoCommit);
            }
        } catch (SQLException e) {
            throw SqlStates.failure("read WAL summaries", e);
        }
    }

    /** The summaries that are needed, in the order of the WAL; REFUSED if they leave a hole. */
    static List<WalRange> covering(List<WalRange> summaries, List<WalRange> ranges) {
        List<WalRange> needed = new ArrayList<>();
        for (WalRange range : ranges) {
            Lsn covered = range.start();
            for (WalRange summary : summaries.stream()
                    .filter(summary -> summary.timeline().equals(range.timeline())
                            && summary.start().isBefore(range.end())
                            && range.start().isBefore(summary.end()))
                    .sorted(Comparator.comparing(WalRange::start).thenComparing(WalRange::end))
                    .toList()) {
                if (covered.isBefore(summary.start())) {
                    throw uncovered(range, covered);
                }
                needed.add(summary);
                covered = covered.isBefore(summary.end()) ? summary.end() : covered;
            }
            if (covered.isBefore(range.end())) {
                throw uncovered(range, covered);
            }
        }
        return needed;
    }

    private static List<WalRange> available(Connection connection) throws SQLException {
        List<WalRange> available = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(AVAILABLE);
                ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                available.add(new WalRange(
                        Timeline.parse(rows.getString(1)), Lsn.parse(rows.getString(2)), Lsn.parse(rows.getString(3))));
            }
        }
        return available;
    }

    private static void read(Connection connection, String contents, WalRange summary, BlockChanges changes)
            throws SQLException {
        Fork[] forks = Fork.values();
        try (PreparedStatement statement = connection.prepareStatement(contents)) {
            statement.setFetchSize(FETCHED);
            statement.setLong(1, Integer.toUnsignedLong(summary.timeline().id()));
            statement.setString(2, summary.start().toString());
            statement.setString(3, summary.end().toString());
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    var fork =
                            new RelationFork(rows.getLong(1), rows.getLong(2), rows.getLong(3), forks[rows.getInt(4)]);
                    if (rows.getBoolean(6)) {
                        changes.truncated(fork, rows.getLong(5));
                    } else {
                        changes.changed(fork, rows.getLong(5));
                    }
                }
            }
        }
    }

    private static NightshiftException uncovered(WalRange range, Lsn from) {
        return new NightshiftException(
                FailureKind.REFUSED,
                "the server has no WAL summaries of timeline " + range.timeline() + " from " + from + " on, up to "
                        + range.end(),
                "summarize_wal must be on all the time, and wal_summary_keep_time longer than the age of the parent");
    }
}
