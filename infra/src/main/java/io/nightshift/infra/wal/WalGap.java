package io.nightshift.infra.wal;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * WAL that will never be in an archive, because the server had removed it before we had it: no recovery goes across. Its
 * record is the object {@code gaps/<timeline>-<from>-<to>.json}, whose name alone says where the gap is.
 *
 * @param from where the archived WAL before it ends
 * @param to where the archive goes on
 * @param reason why the server had removed it, in plain words
 * @param fullRequested whether a full backup was asked for because of it
 */
public record WalGap(Timeline timeline, Lsn from, Lsn to, String reason, Instant at, boolean fullRequested) {

    static final String FOLDER = "gaps/";

    private static final int FORMAT_VERSION = 1;
    private static final Pattern NAME = Pattern.compile("gaps/([0-9A-F]{8})-([0-9A-F]{16})-([0-9A-F]{16})\\.json");
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /** As it is written. */
    private record Document(
            int formatVersion,
            long timeline,
            String from,
            String to,
            @Nullable String reason,
            @Nullable String at,
            boolean fullRequested) {}

    public WalGap {
        if (!from.isBefore(to)) {
            throw new IllegalArgumentException("a gap in WAL from " + from + " to " + to + " does not exist");
        }
    }

    /** What its operator reads. */
    public Finding finding(String cluster) {
        return new Finding(
                "wal/gap/" + timeline + "/" + from,
                Severity.ERROR,
                "WAL archive of " + cluster,
                new DataSize(to.minus(from)).rounded() + " of timeline " + timeline + " from " + from + " to " + to
                        + " is missing for good: " + reason,
                fullRequested
                        ? "a full backup was asked for: no recovery goes across a gap"
                        : "take a full backup: no recovery goes across a gap; one was asked for less than twelve hours ago");
    }

    public WalRange range() {
        return new WalRange(timeline, from, to);
    }

    /** Its name below the folder {@code wal}. */
    String name() {
        return String.format("%s%08X-%016X-%016X.json", FOLDER, timeline.id(), from.position(), to.position());
    }

    byte[] json() {
        return JSON.writerWithDefaultPrettyPrinter()
                .writeValueAsBytes(new Document(
                        FORMAT_VERSION,
                        Integer.toUnsignedLong(timeline.id()),
                        from.toString(),
                        to.toString(),
                        reason,
                        at.toString(),
                        fullRequested));
    }

    /** A gap by the name of its record, which says nothing of why; empty if it is none. */
    public static Optional<WalGap> named(String name, Instant modifiedAt) {
        Matcher parts = NAME.matcher(name);
        if (!parts.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new WalGap(
                    new Timeline(Integer.parseUnsignedInt(parts.group(1), 16)),
                    new Lsn(Long.parseUnsignedLong(parts.group(2), 16)),
                    new Lsn(Long.parseUnsignedLong(parts.group(3), 16)),
                    "its record is not readable",
                    modifiedAt,
                    false));
        } catch (IllegalArgumentException none) {
            return Optional.empty();
        }
    }

    /** The same with what its record says; unchanged if that is not readable. */
    WalGap with(byte[] record) {
        try {
            Document read = JSON.readValue(record, Document.class);
            return read.reason() == null || read.at() == null
                    ? this
                    : new WalGap(timeline, from, to, read.reason(), Instant.parse(read.at()), read.fullRequested());
        } catch (JacksonException | DateTimeParseException unreadable) {
            return this;
        }
    }
}
