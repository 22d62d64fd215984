package io.nightshift.infra.backup;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a backup, such as {@code 20261122T010000Z-full-r8f3}; sorts by time as text, too.
 *
 * @param time when the backup began, whole seconds
 * @param suffix four random characters: two backups may begin in one second
 */
public record BackupLabel(Instant time, BackupType type, String suffix) implements Comparable<BackupLabel> {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT)
            .withResolverStyle(ResolverStyle.STRICT)
            .withZone(ZoneOffset.UTC);
    private static final Pattern TEXT = Pattern.compile("(\\d{8}T\\d{6}Z)-([a-z]+)-([a-z0-9]{4})");

    private static final Comparator<BackupLabel> ORDER = Comparator.comparing((BackupLabel label) -> label.time)
            .thenComparing(label -> label.type.toString())
            .thenComparing(BackupLabel::suffix);

    public BackupLabel {
        if (!time.equals(time.truncatedTo(ChronoUnit.SECONDS))) {
            throw new IllegalArgumentException("the time of a backup label has whole seconds, not " + time);
        }
        if (!suffix.matches("[a-z0-9]{4}")) {
            throw new IllegalArgumentException("\"" + suffix + "\" is not four letters or digits");
        }
    }

    public static BackupLabel parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException("\"" + text
                        + "\" is not a backup label: time, type and four characters are accepted, such as"
                        + " 20261122T010000Z-full-r8f3"));
    }

    /** Empty if the text is no label. */
    public static Optional<BackupLabel> tryParse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        return time(parts.group(1))
                .flatMap(
                        time -> BackupType.of(parts.group(2)).map(type -> new BackupLabel(time, type, parts.group(3))));
    }

    @Override
    public int compareTo(BackupLabel other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return TIME.format(time) + "-" + type + "-" + suffix;
    }

    /** Reads a moment as in labels; empty if it is none. */
    public static Optional<Instant> time(String text) {
        try {
            return Optional.of(TIME.parse(text, Instant::from));
        } catch (DateTimeException noSuchTime) {
            return Optional.empty();
        }
    }

    /** A moment as in labels, for the names of other objects. */
    public static String text(Instant moment) {
        return TIME.format(moment);
    }
}
