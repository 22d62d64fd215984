package io.nightshift.infra.health;

/** One thing that is looked at. */
public interface HealthCheck {

    /** What a check is about: the nodes together, each node by itself, or each database once. */
    enum Scope {
        CLUSTER,
        NODE,
        DATABASE
    }

    /** As in findings and settings, such as {@code long-transactions}. */
    String name();

    /** What is wrong when it finds something, in a few words. */
    String summary();

    Scope scope();
}
