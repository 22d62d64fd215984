package io.nightshift.infra.config;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One thing wrong with the configuration. It never holds a secret.
 *
 * @param file relative to the configuration directory, or {@code environment}, {@code --set}
 * @param line from 1; 0 where there are no lines
 * @param key the path of the key, such as {@code settings.compression} or {@code nodes[1]}; empty for the file itself
 * @param fact what is wrong, what is accepted, and the nearest known word
 */
public record Problem(String file, int line, String key, String fact) implements Comparable<Problem> {

    private static final Comparator<Problem> BY_PLACE = Comparator.comparing(Problem::file)
            .thenComparingInt(Problem::line)
            .thenComparing(Problem::key)
            .thenComparing(Problem::fact);

    /** All problems as the one failure that stops the start. */
    static NightshiftException failure(List<Problem> problems) {
        String heading = problems.size() == 1
                ? "configuration has 1 problem\n"
                : "configuration has " + problems.size() + " problems\n";
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                problems.stream().sorted().map(Problem::toString).collect(Collectors.joining("\n", heading, "")),
                "correct these places; \"nightshift config check\" looks again without starting anything");
    }

    @Override
    public int compareTo(Problem other) {
        return BY_PLACE.compare(this, other);
    }

    @Override
    public String toString() {
        return file + (line > 0 ? ":" + line : "") + "  " + (key.isEmpty() ? "" : key + ": ") + fact;
    }
}
