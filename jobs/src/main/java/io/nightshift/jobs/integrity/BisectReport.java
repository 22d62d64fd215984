package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.integrity.Probe.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** What the probes of a run have shown: the newest backup that is proven clean, if there is one. */
final class BisectReport {

    private static final String KEY = BisectDamageJobType.NAME + "/";

    private final ProbedSubject subject;
    private final List<BisectedBackup> newestFirst;
    private final List<Optional<Probe>> probes;
    private final DamageSearch search;

    /** @param chunks one for each backup, the newest first */
    BisectReport(ProbedSubject subject, List<Chunk> chunks) {
        this.subject = subject;
        this.newestFirst =
                chunks.stream().map(chunk -> BisectedBackup.parse(chunk.work())).toList();
        this.probes = chunks.stream()
                .map(chunk -> Optional.ofNullable(chunk.outcome()).map(Probe::parse))
                .toList();
        this.search = search(chunks);
    }

    static DamageSearch search(List<Chunk> chunks) {
        return new DamageSearch(chunks.stream()
                .map(chunk -> Optional.ofNullable(chunk.outcome())
                        .map(outcome -> Probe.parse(outcome).verdict()))
                .toList());
    }

    /** How many of so many are probed at most if all can be tested: the newest, and then half of the rest each time. */
    static int atMost(int backups) {
        return backups == 0 ? 0 : 1 + (Integer.SIZE - Integer.numberOfLeadingZeros(backups - 1));
    }

    static String backups(int number) {
        return number == 1 ? "1 backup" : number + " backups";
    }

    void write(RunContext run) {
        OptionalInt clean = search.clean();
        OptionalInt damaged = search.damaged();
        for (int backup : search.unknown()) {
            run.notEvaluated(new NotEvaluated(
                    "backup " + newestFirst.get(backup), detail(backup), List.of(KEY + subject.key())));
        }
        String result = result(clean, damaged);
        if (damaged.isPresent()) {
            run.report(new Finding(
                    KEY + subject.key(),
                    clean.isPresent() ? Severity.ERROR : Severity.CRITICAL,
                    subject.object(),
                    result + " (there: " + detail(damaged.getAsInt()) + ")",
                    remedy(clean)));
        }
        long probed = probes.stream().flatMap(Optional::stream).count();
        run.measured(new Figure("backups probed", probed, "backups"));
        run.section(table());
        run.summary(result + "; " + probed + " of " + backups(newestFirst.size()) + " probed");
    }

    private String result(OptionalInt clean, OptionalInt damaged) {
        String from = damaged.isPresent() ? "damaged from " + newestFirst.get(damaged.getAsInt()) + " on" : "";
        if (clean.isEmpty()) {
            return damaged.isEmpty() ? "no backup could be tested" : "no backup is proven clean: " + from;
        }
        BisectedBackup newest = newestFirst.get(clean.getAsInt());
        boolean isAbsent = probes.get(clean.getAsInt())
                .filter(probe -> probe.verdict() == Verdict.ABSENT)
                .isPresent();
        if (damaged.isPresent()) {
            return isAbsent
                    ? "no backup is proven clean: " + from + ", and " + newest + " does not have it yet"
                    : "newest proven clean: " + newest + "; " + from;
        }
        return isAbsent
                ? "backup " + newest + " does not have it: it was made later"
                : "the backups are clean, " + newest + " is the newest: the damage is on the node, or came later";
    }

    private String remedy(OptionalInt clean) {
        if (clean.isEmpty()) {
            return "keep every backup, and look for older ones elsewhere";
        }
        String label = newestFirst.get(clean.getAsInt()).label();
        return "nightshift pin " + label + " keeps it; nightshift restore " + label
                + " --to DIR gives its rows, older than what was written since";
    }

    private String detail(int backup) {
        return probes.get(backup).map(Probe::detail).map(Objects::toString).orElse("");
    }

    private Section table() {
        return Section.table(
                "probes",
                List.of("backup", "of", "result", "took"),
                IntStream.range(0, newestFirst.size()).mapToObj(this::row).toList());
    }

    private List<String> row(int backup) {
        Optional<Probe> probe = probes.get(backup);
        return List.of(
                newestFirst.get(backup).label(),
                newestFirst.get(backup).endedAt(),
                probe.map(done -> done.verdict() + (done.detail() == null ? "" : ": " + done.detail()))
                        .orElse("not probed"),
                probe.map(done -> Durations.print(Duration.ofSeconds(done.seconds())))
                        .orElse(""));
    }
}
