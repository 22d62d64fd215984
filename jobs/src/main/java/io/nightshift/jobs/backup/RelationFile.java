package io.nightshift.jobs.backup;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file that a relation is stored in (PostgreSQL manual, "Database File Layout").
 *
 * @param tablespace oid
 * @param database oid; null for a relation that all databases share
 * @param fork what of the relation is in it, in words; "" for the relation itself
 */
record RelationFile(long tablespace, @Nullable Long database, long filenode, String fork) {

    private static final long PG_DEFAULT = 1663;
    private static final long PG_GLOBAL = 1664;
    private static final Map<String, String> FORKS = Map.of(
            "fsm", "free space map of ",
            "vm", "visibility map of ",
            "init", "initial state of ");
    private static final Pattern PATH = Pattern.compile("(?:global|base/(?<base>\\d{1,10})"
            + "|pg_tblspc/(?<tablespace>\\d{1,10})/PG_[^/]+/(?<database>\\d{1,10}))"
            + "/(?<filenode>\\d{1,10})(?:_(?<fork>fsm|vm|init))?(?:\\.\\d+)?");

    /** Empty if no relation is stored there. */
    static Optional<RelationFile> of(String path) {
        Matcher parts = PATH.matcher(path);
        if (!parts.matches()) {
            return Optional.empty();
        }
        String fork = parts.group("fork") == null ? "" : FORKS.getOrDefault(parts.group("fork"), "");
        long filenode = Long.parseLong(parts.group("filenode"));
        if (parts.group("base") != null) {
            return Optional.of(new RelationFile(PG_DEFAULT, Long.valueOf(parts.group("base")), filenode, fork));
        }
        if (parts.group("tablespace") != null) {
            return Optional.of(new RelationFile(
                    Long.parseLong(parts.group("tablespace")), Long.valueOf(parts.group("database")), filenode, fork));
        }
        return Optional.of(new RelationFile(PG_GLOBAL, null, filenode, fork));
    }
}
