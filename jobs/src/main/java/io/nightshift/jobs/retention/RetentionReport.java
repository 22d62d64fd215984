package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.wal.ExpiredWal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** What a run of retention says: of each backup and of the WAL whether it is kept, and why. */
final class RetentionReport {

    private static final Duration WEEK = Duration.ofDays(7);
    /** A storage that is full sooner is worth a line in the morning. */
    private static final long SOON_DAYS = 14;

    private final RunContext run;
    private final RetentionDecision decision;
    private final Forecast forecast;
    private final Map<Storage, ExpiredWal> wal;
    private final Instant now;

    RetentionReport(
            RunContext run, RetentionDecision decision, Forecast forecast, Map<Storage, ExpiredWal> wal, Instant now) {
        this.run = run;
        this.decision = decision;
        this.forecast = forecast;
        this.wal = wal;
        this.now = now;
    }

    void say(RetentionSettings settings) {
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
                "space", List.of("storage", "kept", "goes", "free", "grows by", "full in"), space(settings)));
        run.measured(new Figure("backups kept", decision.kept().size(), "backups"));
        run.measured(new Figure("backups expired", decision.expired().size(), "backups"));
        run.measured(new Figure("expired", expiredBytes(), "bytes"));
    }

    private List<List<String>> backups() {
        return decision.verdicts().stream()
                .map(verdict -> List.of(
                        verdict.backup().label().toString(),
                        verdict.isKept() ? "kept" : "goes",
                        verdict.isKept()
                                ? verdict.reasons().stream()
                                        .map(Object::toString)
                                        .collect(Collectors.joining("; "))
                                : verdict.backup().restorable()
                                        ? "no rule keeps it"
                                        : "cannot be restored, and no rule keeps it",
                        size(verdict.backup().bytes())))
                .toList();
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
        wal.forEach((storage, archived) -> {
            long backups = bytesOf(decision.kept());
            long kept = backups + bytes(archived.kept());
            long goes = bytesOf(decision.expired()) + bytes(archived.expired());
            long growth = growth(archived);
            OptionalLong free = storage.freeBytes();
            Optional<Long> days =
                    free.isEmpty() || growth <= 0 ? Optional.empty() : Optional.of((free.getAsLong() + goes) / growth);
            rows.add(List.of(
                    storage.name(),
                    size(kept),
                    size(goes),
                    free.isEmpty() ? "unknown" : size(free.getAsLong()),
                    size(Math.max(0, growth)) + "/day",
                    days.map(count -> count > 3650 ? "over 10 years" : count + " days")
                            .orElse("–")));
            days.filter(count -> count < SOON_DAYS)
                    .ifPresent(count -> run.report(new Finding(
                            "retention/space/" + storage.name(),
                            Severity.WARNING,
                            "storage " + storage.name(),
                            "will be full in " + count + " days: " + size(free.orElse(0)) + " free, and it grows by "
                                    + size(growth) + " a day",
                            "make room there, or keep less: window, fulls")));
            DataSize limit = settings.sizeLimit();
            if (limit != null && kept > limit.bytes()) {
                run.report(new Finding(
                        "retention/size/" + storage.name(),
                        Severity.WARNING,
                        "storage " + storage.name(),
                        size(kept) + " are kept of cluster " + run.cluster() + ", size-limit is " + limit.rounded(),
                        "raise size-limit, or keep less: window, fulls, daily, weekly, monthly, yearly"));
            }
        });
        return rows;
    }

    /** Bytes a day: what came in the last week, less what will go in the next. */
    private long growth(ExpiredWal archived) {
        Instant since = now.minus(WEEK);
        long came = bytesOf(decision.kept().stream()
                        .filter(backup -> backup.endedAt().isAfter(since))
                        .toList())
                + bytes(archived.kept().stream()
                        .filter(object -> object.modifiedAt().isAfter(since))
                        .toList());
        long goes = bytesOf(decision.kept().stream()
                .filter(backup -> forecast.expiring().containsKey(backup.label()))
                .toList());
        return (came - goes) / WEEK.toDays();
    }

    void wouldDelete(Optional<String> objection) {
        run.summary("would delete " + what() + "; nothing was deleted"
                + objection
                        .map(why -> ". A person would be asked first: " + why)
                        .orElse(""));
    }

    void deleted() {
        run.summary("deleted " + what() + "; kept " + count(decision.kept().size(), "backup"));
    }

    private String what() {
        long objects = wal.values().stream()
                .mapToLong(archived -> archived.expired().size())
                .sum();
        return count(decision.expired().size(), "backup") + " and " + count(objects, "object") + " of WAL, "
                + size(expiredBytes());
    }

    private long expiredBytes() {
        return bytesOf(decision.expired())
                + wal.values().stream()
                        .mapToLong(archived -> bytes(archived.expired()))
                        .sum();
    }

    private static long bytesOf(List<Candidate> backups) {
        return backups.stream().mapToLong(Candidate::bytes).sum();
    }

    private static long bytes(List<StoredObject> objects) {
        return objects.stream().mapToLong(StoredObject::bytes).sum();
    }

    private static String count(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    private static String size(long bytes) {
        return new DataSize(bytes).rounded();
    }
}
