package io.nightshift.infra.index;

import io.nightshift.infra.run.Severity;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Something to do about the indexes of a database.
 *
 * @param object what it is about, without its database: an index, or a table and the columns that lack one
 * @param reason in one sentence with numbers, for somebody who is no DBA
 * @param bytes that the index takes; of one to be made those of its table
 * @param writeCost what is written into it, such as {@code written 4,711 times a night}; empty where it is not known
 * @param statements to do it and to take it back, in order
 * @param notNow what must pass before it may be done; null if nothing
 * @param forecast what it would bring; null where that is not estimated
 */
public record IndexAdvice(
        Kind kind,
        String database,
        String object,
        Severity severity,
        String reason,
        long bytes,
        String writeCost,
        Statements statements,
        Risk risk,
        Confidence confidence,
        @Nullable String notNow,
        @Nullable IndexForecast forecast) {

    /** The names are part of the keys of findings. */
    public enum Kind {
        UNUSED,
        REDUNDANT,
        LEFT_OVER,
        INVALID,
        BLOATED,
        WRITE_HEAVY,
        HOT_BREAKING,
        BRIN,
        FOREIGN_KEY,
        MISSING;

        /** The keys of its findings begin so. */
        public String keys(String database) {
            return "index/" + this + "/" + database + ".";
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** What makes it done, and undone; each statement stands alone, outside of a transaction. */
    public record Statements(List<String> todo, List<String> undo) {

        public Statements {
            todo = List.copyOf(todo);
            undo = List.copyOf(undo);
        }
    }

    /** What doing it may cost. */
    public record Risk(Level level, String why) {

        private static final Risk BUILD = new Risk(
                Level.LOW,
                "reads the table and takes disk space; it is read and written meanwhile, but ALTER TABLE and VACUUM wait; a"
                        + " cancelled one leaves an invalid index");
        private static final Risk BUILD_PARTITIONED = new Risk(
                Level.LOW,
                "reads the table and takes disk space; whoever writes to it waits for a moment at the first statement, ALTER"
                        + " TABLE and VACUUM of a partition until its index is built");

        /** Of making an index of the table, or of all its partitions. */
        public static Risk ofBuild(Table table) {
            return table.partitioned() ? BUILD_PARTITIONED : BUILD;
        }

        /** How much. */
        public enum Level {
            LOW,
            MEDIUM,
            HIGH;

            @Override
            public String toString() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        @Override
        public String toString() {
            return level + ": " + why;
        }
    }

    /** What it rests on. */
    public enum Confidence {
        /** It follows from the definitions alone. */
        CERTAIN,
        /** It was counted on every node, in every night of the window. */
        OBSERVED,
        /** Nobody has tried it. */
        ESTIMATED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The same, which for this reason is not for now. */
    public IndexAdvice waiting(String because) {
        return new IndexAdvice(
                kind,
                database,
                object,
                severity,
                reason,
                bytes,
                writeCost,
                statements,
                risk,
                confidence,
                because,
                forecast);
    }

    public String key() {
        return kind.keys(database) + object;
    }
}
