package io.nightshift.infra.run;

import java.util.Map;

/**
 * What can be done: the description of a job type, found with {@link java.util.ServiceLoader}, with or without Spring.
 */
public interface JobType {

    /** What stands in the place of a cluster where a job works on the control database. */
    String CONTROL_DATABASE = "control-database";

    /** The name in YAML files, on the command line, in metrics and reports, such as {@code full-backup}. */
    String name();

    /** What it does, in one line. */
    String summary();

    /** The record of its settings: every default and limit. It has a static method {@code defaults()}. */
    Class<? extends Record> settings();

    /** Whether it loads a node enough to count in the node's budget. */
    boolean heavy();

    /** Whether its runs end only with the day, so that its jobs may be {@code continuous}. */
    default boolean isEndless() {
        return false;
    }

    /** Whether a cluster has one job of it at most, because two would undo each other's work. */
    default boolean isOnlyOne() {
        return false;
    }

    /** Whether it works on managed clusters; otherwise on the control database, and its jobs name no cluster. */
    default boolean onClusters() {
        return true;
    }

    /** The clusters that settings name besides the one that is worked on, by the keys that do, such as {@code schema.like.shop}. */
    default Map<String, String> otherClusters(Record settings) {
        return Map.of();
    }

    /** What {@code --dry-run} does, in one line. */
    String dryRun();

    /** The Spring configuration class with the Job bean, named after this type, and its Step beans. */
    Class<?> configuration();
}
