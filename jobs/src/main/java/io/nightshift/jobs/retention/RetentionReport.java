package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.storage.MeteredStorage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/** What a run of retention says: of each backup and of the WAL whether it is kept, and why. */
final class RetentionReport {

    private static final Duration WEEK = Duration.ofDays(7);
    /** A storage that is full sooner is worth a line in the morning. */
    private static final long SOON_DAYS = 14;

    private final RunContext run;
    private final RetentionDecision decision;
    private final Forecast forecast;
    private final List<Holding> holdings;
    private final RetentionPast past;
    private final Set<Candidate> due;
    private final Instant now;

    RetentionReport(
            RunContext run,
            RetentionDecision decision,
            Forecast forecast,
            List<Holding> holdings,
            RetentionPast past,
            Instant now) {
        this.run = run;
        this.decision = decision;
        this.forecast = forecast;
        this.holdings = holdings;
        this.past = past;
        this.due = Set.copyOf(decision.due(past, now));
        this.now = now;
    }

    void say(RetentionSettings settings) {
        run.section(Section.text("policy", settings.policy().inWords()));
        if (!decision.verdicts().isEmpty()) {
            run.section(Section.table("backups", List.of("backup", "", "why", "size"), backups()));
        }
        if (!decision.wal().isEmpty()) {
            run.section(Section.table("WAL", List.of("system", "kept from", "why"), wal()));
        }
        if (!forecast.expiring().isEmpty()) {
            run.section(Section.table("expires in the next 7 days", List.of("backup", "from"), expiring()));
        }
        run.section(Section.table(
                "space",
                List.of("storage", "kept", "expires", "goes", "free", "grows by", "full in"),
                space(settings)));
        run.measured(new Figure("backups kept", decision.kept().size(), "backups"));
        run.measured(new Figure("backups expired", decision.expired().size(), "backups"));
    }

    private List<List<String>> backups() {
        return decision.verdicts().stream()
                .map(verdict -> List.of(
                        verdict.backup().label().toString(),
                        verdict.isKept() ? "kept" : due.contains(verdict.backup()) ? "goes" : "expires",
                        verdict.isKept()
                                ? verdict.reasons().stream()
                                        .map(Object::toString)
                                        .collect(Collectors.joining("; "))
                                : whyNot(verdict.backup()),
                        size(verdict.backup().bytes())))
                .toList();
    }

    private String whyNot(Candidate backup) {
        String rule = backup.restorable() ? "no rule keeps it" : "cannot be restored, and no rule keeps it";
        Instant since = past.expiredSince(backup.label()).orElse(now);
        if (!backup.users().isEmpty()) {
            return rule + "; " + String.join(", ", backup.users()) + " works with it";
        }
        return due.contains(backup)
                ? rule + ", since " + since
                : rule + "; deleted by a run after " + since.plus(RetentionPast.NIGHT);
    }

    private List<List<String>> wal() {
        return decision.wal().stream()
                .map(system -> {
                    String name = system.paths().major() + "-" + system.paths().systemIdentifier();
                    if (system.from() == null) {
                        return List.of(name, "–", "no point in time of the recovery window needs it");
                    }
                    return system.from().position() == 0
                            ? List.of(name, "the beginning", "too little can be restored to delete any")
                            : List.of(
                                    name,
                                    system.from().toString(),
                                    "the oldest backup of the recovery window begins there");
                })
                .toList();
    }

    private List<List<String>> expiring() {
        return forecast.expiring().entrySet().stream()
                .sorted(Map.Entry.<BackupLabel, Integer>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .map(each -> List.of(
                        each.getKey().toString(),
                        now.plus(Duration.ofDays(each.getValue())).toString().substring(0, 10)))
                .toList();
    }

    private List<List<String>> space(RetentionSettings settings) {
        List<List<String>> rows = new ArrayList<>();
        for (Holding holding : holdings) {
            long kept = holding.keptBytes();
            long goes = holding.dueBytes();
            long growth = growth(holding);
            OptionalLong free = holding.storage().freeBytes();
            Optional<Long> days =
                    free.isEmpty() || growth <= 0 ? Optional.empty() : Optional.of((free.getAsLong() + goes) / growth);
            String storage = holding.storage().name();
            rows.add(List.of(
                    storage,
                    size(kept),
                    size(holding.bytes() - kept - goes),
                    size(goes),
                    free.isEmpty() ? "unknown" : size(free.getAsLong()),
                    size(Math.max(0, growth)) + "/day",
                    days.map(count -> count > 3650 ? "over 10 years" : count + " days")
                            .orElse("–")));
            days.filter(count -> count < SOON_DAYS)
                    .ifPresent(count -> run.report(new Finding(
                            "retention/space/" + storage,
                            Severity.WARNING,
                            "storage " + storage,
                            "will be full in " + count + " days: " + size(free.orElse(0)) + " free, and it grows by "
                                    + size(growth) + " a day",
                            "make room there, or keep less: window, fulls")));
            DataSize limit = settings.sizeLimit();
            if (limit != null && kept > limit.bytes()) {
                run.report(new Finding(
                        "retention/size/" + storage,
                        Severity.WARNING,
                        "storage " + storage,
                        size(kept) + " are kept of cluster " + run.cluster() + ", size-limit is " + limit.rounded(),
                        "raise size-limit, or keep less: window, fulls, daily, weekly, monthly, yearly"));
            }
        }
        return rows;
    }

    /** Bytes a day: what came in the last week, less what will go in the next. */
    private long growth(Holding holding) {
        long goes = holding.backups().stream()
                .filter(backup -> forecast.expiring().containsKey(backup.label()))
                .mapToLong(Candidate::bytes)
                .sum();
        return (holding.keptSince(now.minus(WEEK)) - goes - holding.leavingWalBytes()) / WEEK.toDays();
    }

    void wouldDelete(Optional<String> objection) {
        run.summary("would delete " + what() + expiring(", ") + "; nothing was deleted"
                + objection
                        .map(why -> ". A person would be asked first: " + why)
                        .orElse(""));
    }

    /** @param saved backups that somebody has pinned while they were about to be deleted */
    void deleted(List<Candidate> saved) {
        run.measured(new Figure("backups deleted", due.size() - (double) saved.size(), "backups"));
        if (saved.isEmpty()) {
            run.measured(new Figure("deleted", dueBytes(), "bytes"));
            run.summary("deleted " + what() + "; kept " + count(decision.kept().size(), "backup") + expiring("; "));
        } else {
            run.summary("backup " + saved.get(0).label()
                    + " was pinned while it was about to be deleted; it stays, what it needs too, and WAL goes in the next"
                    + " run");
        }
    }

    void took(List<MeteredStorage> metered, Duration time) {
        run.measured(new Figure(
                "requests", metered.stream().mapToLong(MeteredStorage::requests).sum(), "requests"));
        run.measured(new Figure(
                "read", metered.stream().mapToLong(MeteredStorage::bytesRead).sum(), "bytes"));
        run.measured(new Figure("took", time.toMillis() / 1000.0, "s"));
    }

    private String what() {
        long objects =
                holdings.stream().mapToLong(holding -> holding.dueWal().size()).sum();
        return count(due.size(), "backup") + " and " + count(objects, "object") + " of WAL, " + size(dueBytes());
    }

    /** What is left for a later run. */
    private String expiring(String separator) {
        int left = decision.expired().size() - due.size();
        return left == 0
                ? ""
                : separator + (left == 1 ? "1 backup expires and is" : left + " backups expire and are")
                        + " left for a night";
    }

    private long dueBytes() {
        return holdings.stream().mapToLong(Holding::dueBytes).sum();
    }

    private static String count(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    private static String size(long bytes) {
        return new DataSize(bytes).rounded();
    }
}
