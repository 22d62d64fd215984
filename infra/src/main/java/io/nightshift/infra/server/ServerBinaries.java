package io.nightshift.infra.server;

import java.nio.file.Path;
import java.util.Optional;

/** Where the servers for restored copies come from. */
@FunctionalInterface
public interface ServerBinaries {

    /** Those of a major version; empty if this machine has none. */
    Optional<PostgresBinaries> find(int major);

    /**
     * An installed server first: it has what the embedded one lacks, extensions, lz4, zstd.
     *
     * @param cache of the embedded binaries
     */
    static ServerBinaries ofThisMachine(Path cache) {
        return major -> PostgresBinaries.findInstalled(major)
                .or(() -> Optional.of(PostgresBinaries.embedded(cache))
                        .filter(embedded -> embedded.version().major() == major));
    }
}
