package io.nightshift.jobs.integrity;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * What came of a piece: nothing was found, or something was, or it could not be judged.
 *
 * @param count of all hits
 * @param hits the first of them
 * @param failed whether the hit is what the server said when it failed on damaged data
 * @param gap why it was not judged; null if it was
 */
record Outcome(
        long count,
        List<Hit> hits,
        boolean failed,
        @Nullable String gap) {

    /** How many hits are told. */
    static final int SAMPLE = 5;

    static final Outcome PASS = new Outcome(0, List.of(), false, null);

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * What was found.
     *
     * @param row where: a block, a row with its key, values
     */
    record Hit(String row, String evidence) {

        @Override
        public String toString() {
            return row.isEmpty() ? evidence : row + ": " + evidence;
        }
    }

    Outcome {
        hits = List.copyOf(hits);
    }

    static Outcome notEvaluated(String reason) {
        return new Outcome(0, List.of(), false, reason);
    }

    static Outcome damage(String message) {
        return new Outcome(1, List.of(new Hit("", message)), true, null);
    }

    /** Both together. */
    Outcome with(Outcome other) {
        return new Outcome(
                count + other.count,
                Stream.concat(hits.stream(), other.hits.stream()).limit(SAMPLE).toList(),
                failed || other.failed,
                gap != null ? gap : other.gap);
    }

    static Outcome parse(String json) {
        return JSON.readValue(json, Outcome.class);
    }

    String json() {
        return JSON.writeValueAsString(this);
    }
}
