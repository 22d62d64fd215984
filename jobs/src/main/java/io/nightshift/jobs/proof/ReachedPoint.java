package io.nightshift.jobs.proof;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoredCopy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where recovery has ended.
 *
 * @param location of the WAL
 * @param at when the last transaction ended that was replayed; the end of the backup where there was none
 */
record ReachedPoint(Lsn location, Instant at) {

    private static final Pattern LAST_TRANSACTION = Pattern.compile(
            "last completed transaction was at log time (\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?[+-]\\S+)");
    private static final Pattern REDO_DONE = Pattern.compile("redo done at ([0-9A-F]+/[0-9A-F]+)");
    private static final Pattern BRANCH = Pattern.compile("\\d+\t([0-9A-F]+/[0-9A-F]+)\t.*");
    private static final DateTimeFormatter TIME = new DateTimeFormatterBuilder()
            .appendPattern("uuuu-MM-dd HH:mm:ss")
            .appendFraction(java.time.temporal.ChronoField.NANO_OF_SECOND, 0, 9, true)
            .appendPattern("[XXX][XX][X]")
            .toFormatter(Locale.ROOT);

    static ReachedPoint of(RestoredCopy copy, Instant endOfBackup) {
        try (Connection connection = copy.connect("template1");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT checkpoint_lsn::text,
                               pg_read_file('pg_wal/' || lpad(upper(to_hex(timeline_id)), 8, '0') || '.history',
                                            0, 1000000, true)
                          FROM pg_control_checkpoint()
                        """)) {
            row.next();
            String history = row.getString(2);
            return parse(copy.log(), history == null ? "" : history, Lsn.parse(row.getString(1)), endOfBackup);
        } catch (SQLException e) {
            throw SqlStates.failure("the end of recovery not read from the copy", e);
        }
    }

    /**
     * Of what the server has said and written. Its history says where the new timeline branched off, its log when the last
     * transaction ended (messages of {@code xlogrecovery.c}; the copy speaks English).
     */
    static ReachedPoint parse(List<String> log, String history, Lsn otherwise, Instant endOfBackup) {
        Lsn location = last(BRANCH, history.lines())
                .or(() -> last(REDO_DONE, log.stream()))
                .map(Lsn::parse)
                .orElse(otherwise);
        Instant at = last(LAST_TRANSACTION, log.stream())
                .map(text -> OffsetDateTime.parse(text, TIME).toInstant())
                .filter(endOfBackup::isBefore)
                .orElse(endOfBackup);
        return new ReachedPoint(location, at);
    }

    /** The place that a server names ends a record, the plan's begins one: the header of a page may lie between. */
    private static final long PAGE_HEADER = 40;

    /** What it is if it is not where the plan leads; empty if it is. */
    Optional<String> contradiction(RestorePlan plan) {
        if (location.plus(PAGE_HEADER).isBefore(plan.stopsAt())) {
            return Optional.of("recovery ended at " + location + ", before " + plan.stopsAt());
        }
        if (plan.recovery() instanceof RestoreTarget.AtTime target
                && (at.isAfter(target.time()) || plan.stopsAt().isBefore(location))) {
            return Optional.of("recovery went past " + target + ": to " + location + ", with a transaction of " + at);
        }
        return Optional.empty();
    }

    private static Optional<String> last(Pattern pattern, Stream<String> lines) {
        return lines.map(pattern::matcher)
                .filter(Matcher::find)
                .map(found -> found.group(1))
                .reduce((earlier, later) -> later);
    }
}
