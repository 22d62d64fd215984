package io.nightshift.jobs.proof;

import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/**
 * Where the source was at a moment.
 *
 * @param at by the source's clock, or by ours where it did not answer
 * @param location of its WAL; null if it did not answer
 * @param lastCommit when its last transaction ended; null unless it has track_commit_timestamp
 * @param silence why it did not answer; "" if it did
 */
record SourcePoint(
        Instant at, @Nullable Lsn location, @Nullable Instant lastCommit, String silence) {

    static SourcePoint ask(ManagedCluster cluster, String purpose, Clock clock) {
        try (Connection connection = cluster.direct(Intent.PRIMARY, purpose);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT clock_timestamp(), pg_current_wal_lsn()::text,
                               CASE WHEN current_setting('track_commit_timestamp')::bool
                                    THEN (SELECT timestamp FROM pg_last_committed_xact()) END
                        """)) {
            row.next();
            return new SourcePoint(
                    row.getObject(1, OffsetDateTime.class).toInstant(),
                    Lsn.parse(row.getString(2)),
                    instant(row.getObject(3, OffsetDateTime.class)),
                    "");
        } catch (NightshiftException | SQLException away) {
            return new SourcePoint(clock.instant(), null, null, String.valueOf(away.getMessage()));
        }
    }

    private static @Nullable Instant instant(@Nullable OffsetDateTime time) {
        return time == null ? null : time.toInstant();
    }
}
