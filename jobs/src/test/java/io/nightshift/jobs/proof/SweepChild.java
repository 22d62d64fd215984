package io.nightshift.jobs.proof;

import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.server.TestPostgres;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/** Another process that throws copies away whose time is over. */
final class SweepChild {

    private SweepChild() {}

    /**
     * Sweeps once.
     *
     * @param arguments the folder, and the time
     */
    public static void main(String[] arguments) {
        var copies = new RestoredCopies(Path.of(arguments[0]), major -> Optional.of(TestPostgres.binaries(major)));
        System.out.println("swept " + copies.sweep(Instant.parse(arguments[1])));
    }
}
