package io.nightshift.infra.run;

import java.util.List;

/**
 * What a run has to say at its end; every job type has this one shape.
 *
 * @param summary one line
 */
public record JobReport(
        String summary,
        List<Figure> figures,
        List<Finding> findings,
        List<NotEvaluated> notEvaluated,
        List<Section> sections) {

    public static final JobReport EMPTY = new JobReport("", List.of(), List.of(), List.of(), List.of());

    public JobReport {
        figures = List.copyOf(figures);
        findings = List.copyOf(findings);
        notEvaluated = List.copyOf(notEvaluated);
        sections = List.copyOf(sections);
    }

    /** Whether it says that a finding was looked for: one that was looked for and not found is resolved. */
    public boolean hasLookedFor(String findingKey) {
        return notEvaluated.stream().noneMatch(gap -> gap.hides(findingKey));
    }

    /** The exit status of a completed run: 3 for findings of severity error or worse, before 6 for gaps, before 0. */
    public int exitStatus() {
        if (findings.stream().anyMatch(Finding::isOpenError)) {
            return 3;
        }
        return notEvaluated.isEmpty() ? 0 : 6;
    }
}
