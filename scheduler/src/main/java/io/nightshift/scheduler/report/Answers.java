package io.nightshift.scheduler.report;

import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.report.NightReport.Answer;
import io.nightshift.scheduler.report.NightReport.BackupState;
import io.nightshift.scheduler.report.NightReport.Deadline;
import io.nightshift.scheduler.report.NightReport.JobFigures;
import io.nightshift.scheduler.report.NightReport.OpenFinding;
import io.nightshift.scheduler.report.NightReport.Totals;
import io.nightshift.scheduler.report.NightReport.Trouble;
import io.nightshift.scheduler.report.NightReport.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The three questions of the morning. An answer is never better than what is known. */
record Answers(
        Period period,
        Instant now,
        Totals totals,
        List<Trouble> troubles,
        List<Deadline> deadlines,
        List<JobFigures> jobs,
        List<OpenFinding> findings,
        List<BackupState> backups) {

    /** A backup that is older than this makes the operator think. */
    private static final Duration FRESH = Duration.ofDays(2);

    private static final double MUCH_LONGER = 1.5;
    private static final double NOTICEABLE_SECONDS = 10;
    private static final int MOST_NAMED = 3;

    List<Answer> all() {
        return List.of(didEverythingRun(), canWeRestore(), whatGotWorse());
    }

    private Answer didEverythingRun() {
        String question = "Did everything run?";
        long bad = troubles.stream().filter(t -> t.verdict() == Verdict.BAD).count();
        long tooLate = deadlines.stream()
                .filter(deadline -> Boolean.FALSE.equals(deadline.met()))
                .count();
        if (bad + tooLate > 0) {
            String what = bad == 0 ? "" : counts(Verdict.BAD);
            String deadline = tooLate == 0 ? "" : Amounts.count(tooLate, "deadline not met", "deadlines not met");
            return new Answer(question, Verdict.BAD, "No: " + joined(what, deadline, also()) + ".");
        }
        if (totals.runs() == 0) {
            return new Answer(question, Verdict.UNKNOWN, "Nothing ran and nothing was due.");
        }
        String all = totals.open() > 0
                ? "Not yet: " + Amounts.count(totals.completed(), "run", "runs") + " completed, " + totals.open()
                        + " not ended"
                : "Yes: " + (totals.completed() == 1 ? "1 run" : "all " + totals.completed() + " runs") + " completed";
        String also = also();
        Verdict verdict = totals.open() > 0 || !also.isEmpty() ? Verdict.ATTENTION : Verdict.GOOD;
        String skipped = totals.skipped() == 0 ? "" : totals.skipped() + " skipped on purpose";
        return new Answer(question, verdict, joined(all, also, skipped) + ".");
    }

    private String also() {
        return counts(Verdict.ATTENTION);
    }

    private String counts(Verdict verdict) {
        return troubles.stream()
                .filter(trouble -> trouble.verdict() == verdict)
                .collect(Collectors.groupingBy(Trouble::kind, TreeMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .map(kind -> kind.getValue() + " " + kind.getKey()
                        + (verdict == Verdict.ATTENTION && kind.getKey().equals("missed") ? " but covered" : ""))
                .collect(Collectors.joining(", "));
    }

    private Answer canWeRestore() {
        String question = "Can we restore?";
        if (backups.isEmpty()) {
            return new Answer(question, Verdict.UNKNOWN, "No cluster is configured.");
        }
        List<String> without = backups.stream()
                .filter(backup -> backup.label() == null && backup.problem() == null)
                .map(BackupState::cluster)
                .toList();
        List<String> unasked = backups.stream()
                .filter(backup -> backup.problem() != null)
                .map(BackupState::cluster)
                .toList();
        if (!without.isEmpty()) {
            return new Answer(question, Verdict.BAD, "No: there is no sound backup of " + named(without) + ".");
        }
        if (!unasked.isEmpty()) {
            return new Answer(
                    question, Verdict.BAD, "Not known: the storages of " + named(unasked) + " did not answer.");
        }
        BackupState oldest = backups.stream()
                .min(Comparator.comparing(backup -> Objects.requireNonNullElse(backup.endedAt(), Instant.MIN)))
                .orElseThrow();
        Duration age = oldest.endedAt() == null ? Duration.ZERO : Duration.between(oldest.endedAt(), now);
        String which = backups.size() == 1
                ? "the newest backup is " + Amounts.age(age) + " old"
                : "each of " + backups.size() + " clusters has a backup, the oldest (" + oldest.cluster() + ") "
                        + Amounts.age(age) + " old";
        boolean proven = backups.stream().allMatch(backup -> backup.provenAt() != null);
        String text = (proven ? "Yes: " : "Probably: ") + which + ", read back and equal to the server's manifest"
                + (proven ? "" : "; never proven by a restore") + ".";
        Verdict verdict = age.compareTo(FRESH) > 0 ? Verdict.ATTENTION : proven ? Verdict.GOOD : Verdict.UNKNOWN;
        return new Answer(question, verdict, text);
    }

    private Answer whatGotWorse() {
        List<OpenFinding> fresh = findings.stream()
                .filter(open -> open.finding().state() == Finding.State.NEW
                        || (open.finding().state() == Finding.State.STILL
                                && open.since() != null
                                && period.contains(open.since())))
                .toList();
        List<JobFigures> longer = jobs.stream().filter(Answers::isMuchLonger).toList();
        List<String> worse = new ArrayList<>();
        if (!fresh.isEmpty()) {
            worse.add(Amounts.count(fresh.size(), "new finding", "new findings") + " ("
                    + named(fresh.stream()
                            .map(open -> open.finding().severity().name().toLowerCase(Locale.ROOT) + ": "
                                    + open.finding().subject())
                            .toList())
                    + ")");
        }
        longer.forEach(job -> worse.add(job.job() + " on " + job.cluster() + " took "
                + String.format(Locale.ROOT, "%.1f", job.trend()) + " times as long as usual"));
        if (worse.isEmpty()) {
            return new Answer(
                    "What got worse?",
                    Verdict.GOOD,
                    "Nothing: no new findings, and no job took much longer than usual.");
        }
        boolean bad = fresh.stream().anyMatch(open -> open.finding().severity().isAtLeast(Severity.ERROR));
        String text = String.join("; ", worse);
        return new Answer(
                "What got worse?",
                bad ? Verdict.BAD : Verdict.ATTENTION,
                text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1) + ".");
    }

    private static boolean isMuchLonger(JobFigures job) {
        Double trend = job.trend();
        return trend != null
                && trend >= MUCH_LONGER
                && job.p50() != null
                && job.usualP50() != null
                && job.p50() - job.usualP50() >= NOTICEABLE_SECONDS;
    }

    private static String named(List<String> names) {
        return String.join(", ", names.subList(0, Math.min(MOST_NAMED, names.size())))
                + (names.size() > MOST_NAMED ? " and " + (names.size() - MOST_NAMED) + " more" : "");
    }

    private static String joined(String... parts) {
        return Arrays.stream(parts).filter(part -> !part.isEmpty()).collect(Collectors.joining(", "));
    }
}
