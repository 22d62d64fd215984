package io.nightshift.infra.load;

import io.nightshift.infra.load.Brake.Spell;
import io.nightshift.infra.load.Brake.Unobserved;
import io.nightshift.infra.load.BrakeRule.NotStreaming;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a run says of having yielded; of a night without reason, nothing.
 *
 * @param slowed what was, such as {@code base backup}
 */
record BrakeReport(RunContext run, String slowed) {

    private static final int MOST_ROWS = 50;

    void tell(
            List<Spell> spells,
            List<NotStreaming> notStreaming,
            List<NotStreaming> streamsAgain,
            Map<String, String> hidden,
            List<Unobserved> unobserved) {
        if (!spells.isEmpty()) {
            yielded(spells);
        }
        notStreaming.forEach(found -> run.report(finding(found, Finding.State.NEW)));
        streamsAgain.forEach(found -> run.report(finding(found, Finding.State.RESOLVED)));
        hidden.forEach((node, role) -> run.report(new Finding(
                "yield/hidden/" + node,
                Severity.INFO,
                "load of " + node,
                "role " + role + " may not see the sessions and standbys of others: the " + slowed
                        + " does not yield to them",
                "GRANT pg_read_all_stats TO " + Identifiers.quoted(role))));
        unobserved.forEach(node -> run.report(new Finding(
                "yield/unobserved/" + node.node(),
                Severity.WARNING,
                "load of " + node.node(),
                "not observed for " + node.age().toSeconds() + " s"
                        + (node.failure() == null ? "" : " (" + firstLine(node.failure()) + ")") + ": the " + slowed
                        + " did not yield to it",
                "see the server's log for who ended the session, and whether connections are left")));
    }

    private void yielded(List<Spell> spells) {
        Duration all = spells.stream().map(Spell::length).reduce(Duration.ZERO, Duration::plus);
        run.measured(new Figure("braked for", Math.round(all.toMillis() / 100.0) / 10.0, "s"));
        List<List<String>> rows = new ArrayList<>(spells.stream()
                .limit(MOST_ROWS)
                .map(spell -> List.of(
                        spell.from().truncatedTo(ChronoUnit.SECONDS).toString(), seconds(spell.length()), spell.why()))
                .toList());
        if (spells.size() > MOST_ROWS) {
            rows.add(List.of("later", "", (spells.size() - MOST_ROWS) + " times more"));
        }
        run.section(Section.table("yielded to production", List.of("from", "for", "because"), rows));
        run.report(
                new Finding(
                        "yield/braked",
                        Severity.INFO,
                        slowed + " of cluster " + run.cluster(),
                        "yielded to production for " + seconds(all)
                                + (spells.size() == 1 ? "" : " in " + spells.size() + " spells") + ": "
                                + spells.get(0).why(),
                        "if this is how nights are, run the job at another hour, or raise the limit under yield in its settings"));
    }

    private static Finding finding(NotStreaming found, Finding.State state) {
        return new Finding(
                "yield/not-streaming/" + found.subject(),
                Severity.WARNING,
                found.subject(),
                found.detail(),
                found.remedy(),
                state);
    }

    private static String seconds(Duration length) {
        return String.format(Locale.ROOT, "%.1f s", length.toMillis() / 1000.0);
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }
}
