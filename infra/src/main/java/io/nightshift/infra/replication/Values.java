package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import java.util.function.Function;

/** The texts in a walsender's result sets; what does not parse did not come from PostgreSQL. */
final class Values {

    private Values() {}

    static Lsn lsn(String text) throws ProtocolViolation {
        return parse("a WAL location", text, Lsn::parse);
    }

    static Timeline timeline(String text) throws ProtocolViolation {
        return parse("a timeline", text, Timeline::parse);
    }

    static SystemIdentifier systemIdentifier(String text) throws ProtocolViolation {
        return parse("a system identifier", text, SystemIdentifier::parse);
    }

    static long number(String text) throws ProtocolViolation {
        return parse("a number", text, Long::valueOf);
    }

    private static <T> T parse(String noun, String text, Function<String, T> parser) throws ProtocolViolation {
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException wrong) {
            throw new ProtocolViolation("\"" + shortened(text) + "\" instead of " + noun);
        }
    }

    private static String shortened(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }
}
