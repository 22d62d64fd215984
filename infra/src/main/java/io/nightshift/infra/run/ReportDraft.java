package io.nightshift.infra.run;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A report that grows while a run works. What a later step, or another attempt, says of the same thing (the finding's
 * key, the figure's name, the section's title) replaces what was said before. Thread-safe.
 */
public final class ReportDraft {

    private final Map<String, Figure> figures = new LinkedHashMap<>();
    private final Map<String, Finding> findings = new LinkedHashMap<>();
    private final Map<String, Section> sections = new LinkedHashMap<>();
    private final Set<NotEvaluated> notEvaluated = new LinkedHashSet<>();
    private final Set<String> leftAlone = new LinkedHashSet<>();
    private String summary = "";

    public ReportDraft() {}

    /** Goes on with what an earlier attempt has said. */
    public ReportDraft(JobReport earlier) {
        summary = earlier.summary();
        earlier.figures().forEach(figure -> figures.put(figure.name(), figure));
        earlier.findings().forEach(finding -> findings.put(finding.key(), finding));
        earlier.sections().forEach(section -> sections.put(section.title(), section));
        notEvaluated.addAll(earlier.notEvaluated());
        leftAlone.addAll(earlier.leftAlone());
    }

    public synchronized void add(Finding finding) {
        findings.put(finding.key(), finding);
    }

    public synchronized void add(Figure figure) {
        figures.put(figure.name(), figure);
    }

    public synchronized void add(NotEvaluated gap) {
        notEvaluated.add(gap);
    }

    /** What the run had no business with: how the keys of findings begin that stay as they are. */
    public synchronized void leaveAlone(String keys) {
        leftAlone.add(keys);
    }

    public synchronized void add(Section section) {
        sections.put(section.title(), section);
    }

    public synchronized void summary(String line) {
        summary = line;
    }

    public synchronized JobReport report() {
        return new JobReport(
                summary,
                List.copyOf(figures.values()),
                List.copyOf(findings.values()),
                List.copyOf(notEvaluated),
                List.copyOf(sections.values()),
                List.copyOf(leftAlone));
    }
}
