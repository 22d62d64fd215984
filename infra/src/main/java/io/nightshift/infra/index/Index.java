package io.nightshift.infra.index;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An index, or the index of a partitioned table, as the catalogs describe it.
 *
 * @param table the OID of its table
 * @param parent the index of the partitioned table that it is a part of; null of all others
 * @param partitioned whether it has parts instead of rows
 * @param legible false while its expressions cannot be read because its table is locked: then nothing is judged by them
 * @param bytes when it was last seen by VACUUM, ANALYZE or its build; 0 of partitioned ones
 */
public record Index(
        long oid,
        RelationName name,
        long table,
        @Nullable Long parent,
        boolean partitioned,
        IndexShape shape,
        State state,
        Duties duties,
        boolean legible,
        long bytes) {

    /**
     * What can be done with it.
     *
     * @param valid queries may use it
     * @param ready writes keep it up to date
     * @param live false when a DROP INDEX CONCURRENTLY did not come to its end
     * @param building a CREATE INDEX or REINDEX works on its table now
     */
    public record State(boolean valid, boolean ready, boolean live, boolean building) {

        public boolean isUsable() {
            return valid && ready && live;
        }
    }

    /**
     * What depends on it beside queries.
     *
     * @param constraints that use it, those of foreign keys that refer to its columns among them
     */
    public record Duties(
            boolean primary,
            boolean exclusion,
            boolean replicaIdentity,
            boolean clustered,
            boolean ofExtension,
            List<String> constraints) {

        static final Duties NONE = new Duties(false, false, false, false, false, List.of());

        public Duties {
            constraints = List.copyOf(constraints);
        }
    }
}
