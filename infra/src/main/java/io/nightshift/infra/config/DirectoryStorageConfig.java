package io.nightshift.infra.config;

import java.nio.file.Path;

/**
 * A storage in a directory of this machine, or of a file system mounted there.
 *
 * @param path absolute; made when it is first written to
 */
public record DirectoryStorageConfig(String name, Path path) implements StorageConfig {

    static final String TYPE = "directory";

    public DirectoryStorageConfig {
        if (!path.isAbsolute()) {
            throw new IllegalArgumentException(
                    "path is not absolute; accepted: an absolute path, such as ${NIGHTSHIFT_HOME}/storage");
        }
        path = path.normalize();
    }

    @Override
    public String type() {
        return TYPE;
    }
}
