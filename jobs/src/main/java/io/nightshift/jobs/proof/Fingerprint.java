package io.nightshift.jobs.proof;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.run.NotEvaluated;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was in the source.
 *
 * @param at where all of it was like that; null of closed ranges, which do not change
 * @param source where it was read, such as {@code standby db2:5432 at 0/5000060}
 * @param parts what was read
 * @param tables the names of all tables that were there, by database; empty of closed ranges
 * @param gaps what could not be read
 * @param reachedAll whether there was time for all
 */
record Fingerprint(
        @Nullable Point at,
        String source,
        List<Part> parts,
        Map<String, List<String>> tables,
        List<NotEvaluated> gaps,
        boolean reachedAll) {

    /** A place in the WAL. */
    record Point(Lsn location, Timeline timeline) {}

    /**
     * Some rows of a table.
     *
     * @param name as people name them
     * @param table as SQL names it
     */
    record Part(String name, String database, String table, String where, TableDigest digest) {}

    Fingerprint {
        parts = List.copyOf(parts);
        tables = Map.copyOf(tables);
        gaps = List.copyOf(gaps);
    }
}
