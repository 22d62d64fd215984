package io.nightshift.infra.restore;

import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.ServerBinaries;
import io.nightshift.infra.server.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where this machine makes its restored copies, and with which servers.
 *
 * @param scratch a folder of which everything may be deleted that nobody is at work in
 */
public record RestoredCopies(Path scratch, ServerBinaries binaries) {

    /** A new copy, in a folder of this name. */
    public RestoredCopy create(String name) {
        ServerUser.of(scratch.resolve("data")).createPassableDirectories(scratch);
        return RestoredCopy.in(scratch.resolve(name));
    }

    /**
     * Ends and removes what killed processes have left, servers included. Copies that somebody is at work in stay.
     *
     * @return the folders that something was left in
     */
    public List<Path> sweep() {
        return RestoredCopy.sweep(scratch);
    }

    /** Free for another copy, bytes. */
    public long usableBytes() {
        Path existing = TargetFailures.existing(scratch);
        try {
            return Files.getFileStore(existing).getUsableSpace();
        } catch (IOException failed) {
            throw TargetFailures.of(existing, failed);
        }
    }

    /** Servers of a major version; empty if this machine has none. */
    public Optional<PostgresBinaries> binaries(int major) {
        return binaries.find(major);
    }
}
