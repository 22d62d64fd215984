package io.nightshift.infra.config;

import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong, and what is only unwise, while the configuration is read. */
final class Problems {

    private final List<Problem> found = new ArrayList<>();
    private final List<Problem> warnings = new ArrayList<>();

    void add(Origin at, String key, String fact) {
        found.add(new Problem(at.file(), at.line(), key, fact));
    }

    void warn(Origin at, String key, String fact) {
        warnings.add(new Problem(at.file(), at.line(), key, fact));
    }

    /** How many there are: a reader that finds the same number afterwards found nothing wrong. */
    int count() {
        return found.size();
    }

    List<Problem> sorted() {
        return found.stream().distinct().sorted().toList();
    }

    List<Problem> sortedWarnings() {
        return warnings.stream().distinct().sorted().toList();
    }

    void throwIfAny() {
        if (!found.isEmpty()) {
            throw Problem.failure(sorted());
        }
    }
}
