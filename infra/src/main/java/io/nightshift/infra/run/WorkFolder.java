package io.nightshift.infra.run;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where runs keep what they need only while they work: a folder in the home, whose disk is large enough. */
public record WorkFolder(Path path) {

    /** A folder of this name in it, made when it is not there yet. */
    public Path of(String name) {
        try {
            return Files.createDirectories(path.resolve(name));
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "folder " + path.resolve(name) + " not made: " + e.getMessage(),
                    "make room in the home folder, and see to whom it belongs",
                    e);
        }
    }
}
