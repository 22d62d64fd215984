package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
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

    static Forecast of(RetentionPolicy policy, Collection<Candidate> candidates, Instant now) {
        Set<BackupLabel> gone = labels(policy.decide(candidates, now));
        List<Candidate> left = candidates.stream()
                .filter(candidate -> !gone.contains(candidate.label()))
                .toList();
        List<Candidate> repeated = repeated(left, now);
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

    /** The backups of the last days once more. One whose parent is older will build on the newest that there is. */
    private static List<Candidate> repeated(List<Candidate> candidates, Instant now) {
        List<Candidate> recent = candidates.stream()
                .filter(Candidate::restorable)
                .filter(candidate -> candidate.endedAt().isAfter(now.minus(SPAN))
                        && !candidate.endedAt().isAfter(now))
                .sorted(Comparator.comparing(Candidate::endedAt))
                .toList();
        Set<BackupLabel> repeated = new HashSet<>();
        recent.forEach(candidate -> repeated.add(candidate.label()));
        @Nullable
        BackupLabel newest =
                recent.isEmpty() ? null : recent.get(recent.size() - 1).label();
        return recent.stream()
                .map(candidate -> later(candidate, parent(candidate, repeated, newest)))
                .toList();
    }

    private static @Nullable BackupLabel parent(
            Candidate candidate, Set<BackupLabel> repeated, @Nullable BackupLabel newest) {
        BackupLabel parent = candidate.parent();
        if (parent == null) {
            return null;
        }
        return repeated.contains(parent) ? later(parent) : newest;
    }

    private static BackupLabel later(BackupLabel label) {
        return new BackupLabel(label.time().plus(SPAN), label.type(), label.suffix());
    }

    private static Candidate later(Candidate candidate, @Nullable BackupLabel parent) {
        Instant proven = candidate.provenAt();
        return new Candidate(
                candidate.paths(),
                later(candidate.label()),
                parent,
                true,
                candidate.refuted(),
                candidate.endedAt().plus(SPAN),
                candidate.timeline(),
                Lsn.LAST, // behind all that is there
                candidate.leadsOn(),
                null,
                candidate.bytes(),
                candidate.holders(),
                proven == null ? null : proven.plus(SPAN),
                null,
                List.of(),
                List.of());
    }
}
