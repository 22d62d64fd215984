package io.nightshift.infra.incremental;

import io.nightshift.infra.incremental.RelationFork.Fork;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One of the files of 1 GB that a fork is stored in (PostgreSQL manual, "Database File Layout").
 *
 * @param number of the file among the fork's, from 0
 */
public record RelationSegment(RelationFork fork, int number) {

    /** Of a page, bytes; servers built with another size cannot be backed up incrementally here. */
    public static final int BLOCK_SIZE = 8192;

    /** Blocks of a whole file. */
    public static final int BLOCKS = 131_072;

    /** What stands before the name of a file that holds changed blocks only. */
    private static final String PREFIX = "INCREMENTAL.";

    private static final long PG_DEFAULT = 1663;
    private static final long PG_GLOBAL = 1664;

    /** No number begins with 0, as a server writes none: two files are never taken for one. */
    private static final Pattern PATH = Pattern.compile(
            "(?:global|base/(?<base>[1-9]\\d{0,9})"
                    + "|pg_tblspc/(?<tablespace>[1-9]\\d{0,9})/PG_[^/]+/(?<database>[1-9]\\d{0,9}))"
                    + "/(?:INCREMENTAL\\.)?(?<filenode>[1-9]\\d{0,9})(?:_(?<fork>fsm|vm|init))?(?:\\.(?<number>[1-9]\\d{0,5}))?");

    /**
     * The file at a path of a data directory or of a backup; empty if no relation is stored there.
     *
     * @param path with {@code INCREMENTAL.} before the name or without
     */
    public static Optional<RelationSegment> of(String path) {
        Matcher parts = PATH.matcher(path);
        if (!parts.matches()) {
            return Optional.empty();
        }
        long tablespace = PG_GLOBAL;
        long database = 0;
        if (parts.group("base") != null) {
            tablespace = PG_DEFAULT;
            database = Long.parseLong(parts.group("base"));
        } else if (parts.group("tablespace") != null) {
            tablespace = Long.parseLong(parts.group("tablespace"));
            database = Long.parseLong(parts.group("database"));
        }
        var fork = new RelationFork(
                tablespace, database, Long.parseLong(parts.group("filenode")), fork(parts.group("fork")));
        String number = parts.group("number");
        return Optional.of(new RelationSegment(fork, number == null ? 0 : Integer.parseInt(number)));
    }

    /** Whether a backup holds only the changed blocks of the relation file at this path. */
    public static boolean isIncremental(String path) {
        return path.startsWith(PREFIX, path.lastIndexOf('/') + 1) && of(path).isPresent();
    }

    /** Where the file lies in a data directory whose changed blocks are at this path of a backup. */
    public static String wholePath(String incrementalPath) {
        int name = incrementalPath.lastIndexOf('/') + 1;
        return incrementalPath.substring(0, name) + incrementalPath.substring(name + PREFIX.length());
    }

    /** The other way round. */
    public static String incrementalPath(String wholePath) {
        int name = wholePath.lastIndexOf('/') + 1;
        return wholePath.substring(0, name) + PREFIX + wholePath.substring(name);
    }

    private static Fork fork(@Nullable String suffix) {
        return switch (suffix == null ? "" : suffix) {
            case "fsm" -> Fork.FREE_SPACE_MAP;
            case "vm" -> Fork.VISIBILITY_MAP;
            case "init" -> Fork.INIT;
            default -> Fork.MAIN;
        };
    }
}
