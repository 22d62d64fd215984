package io.nightshift.infra.incremental;

/**
 * A fork of a relation, by the numbers under which WAL names it (PostgreSQL's {@code RelFileLocator} and {@code ForkNumber}).
 *
 * @param tablespace oid
 * @param database oid; 0 for a relation that all databases share
 */
public record RelationFork(long tablespace, long database, long filenode, Fork fork) {

    /** In the order of PostgreSQL's fork numbers. */
    public enum Fork {
        MAIN,
        FREE_SPACE_MAP,
        VISIBILITY_MAP,
        INIT
    }
}
