package io.nightshift.infra.restore;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the file system that we write to says, translated into who must act. Never a kind that blames a storage. */
final class TargetFailures {

    private TargetFailures() {}

    static NightshiftException of(Path path, IOException thrown) {
        String reason = reason(thrown);
        if (thrown instanceof AccessDeniedException) {
            return new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "cannot write " + path + ": permission denied",
                    "choose a directory that the user of this process (" + System.getProperty("user.name")
                            + ") may write to",
                    thrown);
        }
        return new NightshiftException(
                FailureKind.RESOURCES_EXHAUSTED,
                "cannot write " + path + ": " + reason + free(path),
                "look at that file system, then try again",
                thrown);
    }

    private static String free(Path path) {
        try {
            Path there = existing(path);
            return ", " + new DataSize(Files.getFileStore(there).getUsableSpace()).rounded() + " free";
        } catch (IOException unknown) {
            return "";
        }
    }

    /** The path itself, or the nearest of its parents that exists. */
    static Path existing(Path path) {
        Path there = path.toAbsolutePath();
        while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
        }
        return there;
    }

    private static String reason(IOException thrown) {
        String text = thrown instanceof FileSystemException of && of.getReason() != null
                ? of.getReason()
                : thrown.getMessage();
        return text == null || text.isEmpty() ? thrown.getClass().getSimpleName() : text;
    }
}
