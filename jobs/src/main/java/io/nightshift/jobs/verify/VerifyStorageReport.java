package io.nightshift.jobs.verify;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What a run of verify-storage says: how much was read back in time, and what this run has read. */
final class VerifyStorageReport {

    private final RunContext run;
    private final VerifyStorageSettings settings;
    private final List<Reading> all;
    private final Instant now;

    /** @param all that the storages hold */
    VerifyStorageReport(RunContext run, VerifyStorageSettings settings, List<Reading> all, Instant now) {
        this.run = run;
        this.settings = settings;
        this.all = List.copyOf(all);
        this.now = now;
    }

    /** Of a dry run. */
    void wouldRead(List<Reading> planned) {
        coverage(Set.of());
        if (!planned.isEmpty()) {
            run.section(Section.table("would be read", List.of("storage", "", "size", "oldest from"), rows(planned)));
        }
        run.summary("would read back " + what(planned) + "; nothing was read");
    }

    void done(Set<Reading> done, Places places, Repairs repairs, int damaged, Duration took) {
        coverage(done);
        double seconds = took.toMillis() / 1000.0;
        run.measured(new Figure("read", places.bytesRead(), "bytes"));
        run.measured(new Figure("read in", seconds, "s"));
        run.measured(new Figure("rate", Math.round(places.bytesRead() / Math.max(0.001, seconds)), "bytes/s"));
        run.measured(new Figure("requests", places.requests(), "requests"));
        run.measured(new Figure("repaired", repairs.replaced(), "objects"));
        run.measured(new Figure("damaged", damaged, "findings"));
        run.summary("read back " + what(done) + " in " + String.format(Locale.ROOT, "%.1f s", seconds)
                + (repairs.replaced() == 0 ? "" : "; repaired " + count(repairs.replaced(), "object"))
                + (damaged == 0 ? "; nothing is damaged" : "; " + damaged + " damaged"));
    }

    private void coverage(Set<Reading> done) {
        Map<String, List<Reading>> byKind = new TreeMap<>();
        all.forEach(
                reading -> byKind.computeIfAbsent(reading.storage() + "/" + kind(reading), none -> new ArrayList<>())
                        .add(reading));
        List<List<String>> rows = new ArrayList<>();
        byKind.forEach((name, readings) -> {
            Reading any = readings.get(0);
            Coverage coverage = Coverage.of(readings, done, settings.every(), now);
            rows.add(List.of(
                    any.storage(),
                    kind(any),
                    size(coverage.bytes()),
                    coverage.percent() + " %",
                    coverage.oldest().map(VerifyStorageReport::second).orElse("–")));
            if (coverage.late() > 0) {
                report(any.storage(), kind(any), coverage);
            }
        });
        run.section(Section.table(
                "coverage", List.of("storage", "", "size", "read within " + round(), "not read since"), rows));
        Coverage total = Coverage.of(all, done, settings.every(), now);
        run.measured(new Figure("read within " + round(), total.percent(), "%"));
    }

    private void report(String storage, String kind, Coverage coverage) {
        run.report(new Finding(
                DamageReport.key(storage, "late/" + kind),
                Severity.WARNING,
                kind + " in storage " + storage,
                size(coverage.late()) + " were not read back for longer than " + round() + ", the oldest not since "
                        + second(coverage.oldest().orElse(now)),
                settings.budget() == null
                        ? "let the job run more often than every " + round() + ", to its end"
                        : "raise budget, which is " + settings.budget() + ", or every"));
    }

    private static List<List<String>> rows(Collection<Reading> planned) {
        List<List<String>> rows = new ArrayList<>();
        Map<String, List<Reading>> wal = new TreeMap<>();
        for (Reading reading : planned) {
            if (reading instanceof BackupReading backup) {
                rows.add(List.of(
                        reading.storage(), "backup " + backup.backup().label(), size(reading.bytes()), since(reading)));
            } else {
                wal.computeIfAbsent(reading.storage(), none -> new ArrayList<>())
                        .add(reading);
            }
        }
        wal.forEach((storage, objects) -> rows.add(List.of(
                storage, count(objects.size(), "object") + " of WAL", size(bytes(objects)), since(objects.get(0)))));
        return rows;
    }

    private static String since(Reading reading) {
        Instant read = reading.readAt();
        return second(read == null ? reading.storedAt() : read);
    }

    private static String second(Instant moment) {
        return moment.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static String what(Collection<Reading> readings) {
        long backups = readings.stream()
                .filter(reading -> reading instanceof BackupReading)
                .count();
        return count(backups, "backup") + " and " + count(readings.size() - backups, "object") + " of WAL, "
                + size(bytes(readings));
    }

    private static String kind(Reading reading) {
        return reading instanceof BackupReading ? "backups" : "WAL";
    }

    private String round() {
        return Durations.print(settings.every());
    }

    private static long bytes(Collection<Reading> readings) {
        return readings.stream().mapToLong(Reading::bytes).sum();
    }

    private static String count(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    private static String size(long bytes) {
        return new DataSize(bytes).rounded();
    }
}
