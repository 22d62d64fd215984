package io.nightshift.jobs.integrity;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a restored backup has shown of the subject of a finding.
 *
 * @param detail what is wrong, or why it cannot be tested; null where there is nothing to say
 * @param seconds that it took
 */
record Probe(Verdict verdict, @Nullable String detail, long seconds) {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** The names are kept in the book of chunks. */
    enum Verdict {
        CLEAN,
        DAMAGED,
        /** The subject is not in it: it was made later. */
        ABSENT,
        NOT_TESTABLE;

        /** As people read it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    static Probe of(Verdict verdict) {
        return new Probe(verdict, null, 0);
    }

    static Probe damaged(String evidence) {
        return new Probe(Verdict.DAMAGED, evidence, 0);
    }

    static Probe notTestable(String reason) {
        return new Probe(Verdict.NOT_TESTABLE, reason, 0);
    }

    Probe taking(long time) {
        return new Probe(verdict, detail, time);
    }

    static Probe parse(String json) {
        return JSON.readValue(json, Probe.class);
    }

    String json() {
        return JSON.writeValueAsString(this);
    }
}
