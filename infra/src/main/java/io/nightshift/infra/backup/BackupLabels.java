package io.nightshift.infra.backup;

import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.random.RandomGenerator;

/** Gives new backups their labels. */
public final class BackupLabels {

    private static final String CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz";

    private final Clock clock;
    private final RandomGenerator random;

    public BackupLabels(Clock clock, RandomGenerator random) {
        this.clock = clock;
        this.random = random;
    }

    public BackupLabel next(BackupType type) {
        var suffix = new StringBuilder();
        while (suffix.length() < 4) {
            suffix.append(CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        }
        return new BackupLabel(clock.instant().truncatedTo(ChronoUnit.SECONDS), type, suffix.toString());
    }
}
