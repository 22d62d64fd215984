package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecord.LaterWal;
import io.nightshift.infra.wal.KeptWal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What will expire in the next days, if backups go on as they did in the last ones. Pure.
 *
 * @param expiring the day from which on nothing keeps a backup any more, counted from 1; what expires today is not in it
 * @param wal from where on WAL will be kept
 */
record Forecast(Map<BackupLabel, Integer> expiring, List<LaterWal> wal) {

    static final int DAYS = 7;

    private static final Duration SPAN = Duration.ofDays(DAYS);

    /** @param past which tells of backups that are gone already, where less than a week is kept */
    static Forecast of(RetentionPolicy policy, Collection<Candidate> candidates, RetentionPast past, Instant now) {
        Set<BackupLabel> gone = labels(policy.decide(candidates, now));
        List<Candidate> left = candidates.stream()
                .filter(candidate -> !gone.contains(candidate.label()))
                .toList();
        List<Candidate> repeated = repeated(made(candidates, past, now), now);
        Map<BackupLabel, Integer> expiring = new LinkedHashMap<>();
        Map<BackupPaths, Lsn> begins = new HashMap<>();
        List<LaterWal> wal = new ArrayList<>();
        for (int day = 1; day <= DAYS; day++) {
            Instant then = now.plus(Duration.ofDays(day));
            List<Candidate> there = new ArrayList<>(left);
            repeated.stream()
                    .filter(candidate -> !candidate.endedAt().isAfter(then))
                    .forEach(there::add);
            RetentionDecision decision = policy.decide(there, then);
            for (BackupLabel label : labels(decision)) {
                expiring.putIfAbsent(label, day);
            }
            for (KeptWal system : decision.wal()) {
                Lsn from = system.from();
                if (from != null && !from.equals(begins.put(system.paths(), from))) {
                    wal.add(new LaterWal(system.paths(), from, then));
                }
            }
        }
        repeated.forEach(candidate -> expiring.remove(candidate.label()));
        return new Forecast(expiring, wal);
    }

    /** From where on WAL of a system is kept in a week, as far as that is known. */
    Lsn from(BackupPaths system) {
        return wal.stream()
                .filter(later -> later.paths().equals(system))
                .map(LaterWal::from)
                .reduce((sooner, later) -> later)
                .orElse(Lsn.INVALID);
    }

    private static Set<BackupLabel> labels(RetentionDecision decision) {
        return decision.expired().stream().map(Candidate::label).collect(Collectors.toSet());
    }

    /** The backups that could be restored, oldest first, with those that are gone. */
    private static List<Candidate> made(Collection<Candidate> candidates, RetentionPast past, Instant now) {
        Set<BackupLabel> there =
                candidates.stream().map(Candidate::label).collect(Collectors.toCollection(HashSet::new));
        List<Candidate> made = candidates.stream()
                .filter(candidate ->
                        candidate.restorable() && !candidate.endedAt().isAfter(now))
                .sorted(Comparator.comparing(Candidate::endedAt))
                .collect(Collectors.toCollection(ArrayList::new));
        if (made.isEmpty()) {
            return made;
        }
        Candidate newest = made.get(made.size() - 1);
        boolean areProven =
                made.stream().filter(candidate -> candidate.provenAt() != null).count() * 2 > made.size();
        past.records().stream()
                .flatMap(record -> record.expired().stream())
                .filter(there::add)
                .forEach(label -> made.add(gone(label, newest, areProven)));
        made.sort(Comparator.comparing(Candidate::endedAt));
        return made;
    }

    /** One that is deleted: it was like those that are there. */
    private static Candidate gone(BackupLabel label, Candidate like, boolean isProven) {
        return new Candidate(
                like.paths(),
                label,
                null, // nobody knows it any more
                true,
                false,
                label.time(),
                like.timeline(),
                like.startLsn(),
                like.leadsOn(),
                null,
                0,
                like.holders(),
                isProven ? label.time() : null,
                null,
                List.of(),
                List.of());
    }

    /** The backups of the last days once more, and again where fewer days are known. */
    private static List<Candidate> repeated(List<Candidate> made, Instant now) {
        List<Candidate> recent = made.stream()
                .filter(candidate -> candidate.endedAt().isAfter(now.minus(SPAN)))
                .toList();
        if (recent.isEmpty()) {
            return recent;
        }
        Duration period = period(made, recent, now);
        Set<BackupLabel> labels = recent.stream().map(Candidate::label).collect(Collectors.toSet());
        List<Candidate> repeated = new ArrayList<>();
        BackupLabel newest = recent.get(recent.size() - 1).label();
        for (Duration by = period; by.compareTo(SPAN.plus(period)) < 0; by = by.plus(period)) {
            for (Candidate candidate : recent) {
                Candidate later = later(candidate, by, parent(candidate, by, labels, newest));
                repeated.add(later);
                newest = later.label();
            }
        }
        return repeated;
    }

    /** A week; less where backups have begun within it and may come more often, in whole days. */
    private static Duration period(List<Candidate> made, List<Candidate> recent, Instant now) {
        Instant first = made.get(0).endedAt();
        if (recent.size() == 1 || !first.isAfter(now.minus(SPAN))) {
            return SPAN;
        }
        Duration between = Duration.between(first, recent.get(recent.size() - 1).endedAt());
        Duration known = between.plus(between.dividedBy(recent.size() - 1L));
        return Duration.ofDays(Math.min(DAYS, Math.max(1, known.plusHours(12).toDays())));
    }

    /** What builds on one that is not repeated will build on the one before it. */
    private static @Nullable BackupLabel parent(
            Candidate candidate, Duration by, Set<BackupLabel> repeated, BackupLabel before) {
        if (candidate.isFull()) {
            return null;
        }
        BackupLabel parent = candidate.parent();
        return parent != null && repeated.contains(parent) ? later(parent, by) : before;
    }

    private static BackupLabel later(BackupLabel label, Duration by) {
        return new BackupLabel(label.time().plus(by), label.type(), label.suffix());
    }

    private static Candidate later(Candidate candidate, Duration by, @Nullable BackupLabel parent) {
        Instant proven = candidate.provenAt();
        return new Candidate(
                candidate.paths(),
                later(candidate.label(), by),
                parent,
                true,
                candidate.refuted(),
                candidate.endedAt().plus(by),
                candidate.timeline(),
                Lsn.LAST, // behind all that is there
                candidate.leadsOn(),
                null,
                candidate.bytes(),
                candidate.holders(),
                proven == null ? null : proven.plus(by),
                null,
                List.of(),
                List.of());
    }
}
