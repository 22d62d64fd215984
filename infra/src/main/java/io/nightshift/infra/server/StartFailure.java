package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Why a server did not start: who must act, and what to do, read from the last messages of its log. */
record StartFailure(String messages) {

    private static final Pattern FULL =
            Pattern.compile("No space left on device|Disk quota exceeded|Cannot allocate memory"
                    + "|could not (?:create|map) (?:anonymous )?shared memory|Too many open files");
    private static final Pattern WRONG_SETTING = Pattern.compile(
            "unrecognized configuration parameter|invalid value for parameter|is outside the valid range"
                    + "|configuration file .* contains errors|requires a (?:Boolean|numeric) value|could not access file"
                    + "|Permission denied|wrong ownership|invalid permissions");
    private static final Pattern DAMAGED = Pattern.compile(
            "could not locate (?:a valid|required) checkpoint record|invalid checkpoint record|incorrect checksum in control file"
                    + "|could not open file \".*(?:pg_control|pg_filenode\\.map)\"|PANIC: ");
    private static final Pattern PORT_TAKEN =
            Pattern.compile("Address already in use|could not create any TCP/IP sockets");

    boolean isTakenPort() {
        return PORT_TAKEN.matcher(messages).find();
    }

    NightshiftException of(Path dataDirectory, Path log) {
        String fact = "PostgreSQL on " + dataDirectory + " did not start:\n" + messages;
        if (FULL.matcher(messages).find()) {
            return new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED, fact, "free space or memory, then start again; log: " + log);
        }
        if (isTakenPort()) {
            return new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    fact,
                    "see what listens on the port (ss -ltnp), or leave the choice of the port to Nightshift");
        }
        if (WRONG_SETTING.matcher(messages).find()) {
            return new NightshiftException(
                    FailureKind.CONFIGURATION, fact, "correct what the message names; log: " + log);
        }
        if (DAMAGED.matcher(messages).find()) {
            return new NightshiftException(
                    FailureKind.DATA_DAMAGED, fact, "the data directory is damaged: restore it; log: " + log);
        }
        return new NightshiftException(FailureKind.POSTGRES_UNAVAILABLE, fact, "the whole log is in " + log);
    }
}
