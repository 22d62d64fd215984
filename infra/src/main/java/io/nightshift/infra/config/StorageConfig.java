package io.nightshift.infra.config;

/** A place where backups and WAL live. */
public sealed interface StorageConfig permits DirectoryStorageConfig {

    String name();

    /** The word in the file: {@code directory}. */
    String type();
}
