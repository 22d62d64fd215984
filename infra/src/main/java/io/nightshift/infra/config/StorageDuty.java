package io.nightshift.infra.config;

/** What a cluster expects of a storage. */
public enum StorageDuty {
    /** WAL is acknowledged, and a backup is complete, only when it is durable there. */
    REQUIRED,
    /** Filled by copying later; its absence fails nothing. */
    BEST_EFFORT
}
