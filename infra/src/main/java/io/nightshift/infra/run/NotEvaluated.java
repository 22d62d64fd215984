package io.nightshift.infra.run;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Something that was asked for and could not be judged; a run with one of these is never plain green.
 *
 * @param keys how the keys of findings begin that were not looked for, such as {@code health/blockers/}: the run resolves
 *     none of them
 */
public record NotEvaluated(String subject, String reason, List<String> keys) {

    /** @param keys null in reports of versions that did not know it */
    public NotEvaluated(String subject, String reason, @Nullable List<String> keys) {
        this.subject = subject;
        this.reason = reason;
        this.keys = keys == null ? List.of() : List.copyOf(keys);
    }

    public NotEvaluated(String subject, String reason) {
        this(subject, reason, List.of());
    }

    /** Whether it is unknown if the finding with this key is still there. */
    boolean hides(String key) {
        return keys.stream().anyMatch(key::startsWith);
    }
}
