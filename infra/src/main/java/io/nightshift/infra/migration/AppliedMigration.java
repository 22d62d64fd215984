package io.nightshift.infra.migration;

import org.jspecify.annotations.Nullable;

/**
 * One row of a history that Flyway keeps.
 *
 * @param rank in which order they were applied, from 1
 * @param version null for one that is repeated when it changes
 * @param type such as {@code SQL}
 */
public record AppliedMigration(
        int rank, @Nullable String version, String description, String type, String script, boolean success) {

    /** As people name it, such as {@code 1.2 add bills}. */
    @Override
    public String toString() {
        return (version == null ? "" : version + " ") + description;
    }
}
