package io.nightshift.infra.config;

import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A rule that the rows of a table keep, though the schema does not say so.
 *
 * @param id stable from night to night: the key of its findings and of its history
 * @param description what it means for those who own the data; null where the rule says it
 * @param table with its schema, as in SQL; null where the statement names its own
 * @param filter which rows of the table are looked at; null for all
 * @param key columns that tell which rows fail; those of the primary key where the file names none
 */
public record RuleConfig(
        String id,
        @Nullable String description,
        String database,
        @Nullable String table,
        RuleCheck check,
        @Nullable String filter,
        List<String> key,
        Limits limits,
        Shown shown,
        Running running,
        Duty duty,
        @Nullable Suppression suppression) {

    /** From where on it is a warning, and from where on an error. */
    public record Limits(@Nullable RuleLimit warn, @Nullable RuleLimit error) {}

    /**
     * What is shown of rows that fail.
     *
     * @param sample how many of them; all are counted
     * @param masks columns of which no value leaves the server as it is
     */
    public record Shown(int sample, List<String> masks) {}

    /**
     * How it is asked.
     *
     * @param route null for what the kind of rule wants
     */
    public record Running(@Nullable Route route, Duration timeout, OnTimeout onTimeout) {}

    /** Who looks after it, and where it is written what to do. */
    public record Duty(@Nullable String owner, @Nullable String runbook) {}

    /** Known, and no finding up to that day. */
    public record Suppression(LocalDate until, String reason) {

        public Suppression {
            new Refusals().when(reason.isBlank(), "reason is empty").throwIfAny();
        }

        /** Whether it is over on that day. */
        public boolean isOver(LocalDate day) {
            return day.isAfter(until);
        }
    }

    /** Where it is asked. */
    public enum Route {
        CHEAPEST,
        STANDBY,
        PRIMARY
    }

    /** What it means that the answer takes too long. */
    public enum OnTimeout {
        NOT_EVALUATED,
        ERROR
    }

    /** Whether no value of this column may be shown. */
    public boolean isMasked(String column) {
        return shown.masks().contains(column);
    }
}
