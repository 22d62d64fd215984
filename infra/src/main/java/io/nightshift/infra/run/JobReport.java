package io.nightshift.infra.run;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a run has to say at its end; every job type has this one shape.
 *
 * @param summary one line
 * @param leftAlone how the keys of findings begin that the run had no business with
 */
public record JobReport(
        String summary,
        List<Figure> figures,
        List<Finding> findings,
        List<NotEvaluated> notEvaluated,
        List<Section> sections,
        List<String> leftAlone) {

    public static final JobReport EMPTY = new JobReport("", List.of(), List.of(), List.of(), List.of());

    /** @param leftAlone null in reports of versions that did not know it */
    public JobReport(
            String summary,
            List<Figure> figures,
            List<Finding> findings,
            List<NotEvaluated> notEvaluated,
            List<Section> sections,
            @Nullable List<String> leftAlone) {
        this.summary = summary;
        this.figures = List.copyOf(figures);
        this.findings = List.copyOf(findings);
        this.notEvaluated = List.copyOf(notEvaluated);
        this.sections = List.copyOf(sections);
        this.leftAlone = leftAlone == null ? List.of() : List.copyOf(leftAlone);
    }

    public JobReport(
            String summary,
            List<Figure> figures,
            List<Finding> findings,
            List<NotEvaluated> notEvaluated,
            List<Section> sections) {
        this(summary, figures, findings, notEvaluated, sections, List.of());
    }

    /** Whether it says that a finding was looked for: one that was looked for and not found is resolved. */
    public boolean hasLookedFor(String findingKey) {
        return notEvaluated.stream().noneMatch(gap -> gap.hides(findingKey))
                && leftAlone.stream().noneMatch(findingKey::startsWith);
    }

    /** The exit status of a completed run: 3 for findings of severity error or worse, before 6 for gaps, before 0. */
    public int exitStatus() {
        if (findings.stream().anyMatch(Finding::isOpenError)) {
            return 3;
        }
        return notEvaluated.isEmpty() ? 0 : 6;
    }
}
