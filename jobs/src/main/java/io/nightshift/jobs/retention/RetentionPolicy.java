package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of a cluster's backups. Each rule keeps some, and with each all that it builds on; what no rule keeps
 * expires. A cluster that was upgraded has backups of several systems: they are judged together, by their time. Pure.
 *
 * @param window any moment that is no longer ago can be restored
 * @param fulls newest full backups that are kept, with what is built on them; at least 1
 * @param generations of how many periods of each kind the last backup is kept
 * @param zone in which a day begins
 */
record RetentionPolicy(Duration window, int fulls, Map<Period, Integer> generations, ZoneId zone) {

    RetentionPolicy {
        generations = Map.copyOf(generations);
    }

    RetentionPolicy(Duration window, int fulls) {
        this(window, fulls, Map.of(), ZoneId.of("UTC"));
    }

    RetentionDecision decide(Collection<Candidate> candidates, Instant now) {
        List<Candidate> oldestFirst = candidates.stream()
                .sorted(Comparator.comparing(Candidate::endedAt).thenComparing(Candidate::label))
                .toList();
        var kept = new Kept(oldestFirst);
        Window wanted = Window.of(oldestFirst, now.minus(window));
        keepWindow(oldestFirst, wanted, kept);
        boolean enough = keepMinimum(oldestFirst, kept);
        generations.forEach((period, count) -> keepGenerations(oldestFirst, period, count, kept));
        keepProven(oldestFirst, kept);
        for (Candidate candidate : oldestFirst) {
            Pin pin = candidate.pin();
            if (pin != null && now.isBefore(pin.until())) {
                kept.add(candidate, new Reason.Pinned(pin));
            }
            candidate.users().forEach(user -> kept.add(candidate, new Reason.InUse(user)));
            candidate.lackedBy().forEach(storage -> kept.add(candidate, new Reason.LackedBy(storage)));
        }
        kept.addWhatIsBuiltOn();
        return new RetentionDecision(kept.verdicts(), enough ? wal(oldestFirst, wanted, kept) : allWal(oldestFirst));
    }

    /**
     * What the recovery window needs.
     *
     * @param opener the newest restorable backup that ended before it; null if there is none
     */
    private record Window(Instant begin, @Nullable Candidate opener) {

        static Window of(List<Candidate> oldestFirst, Instant begin) {
            return new Window(
                    begin,
                    oldestFirst.stream()
                            .filter(Candidate::restorable)
                            .filter(candidate -> !candidate.endedAt().isAfter(begin))
                            .reduce((older, newer) -> newer)
                            .orElse(null));
        }

        boolean has(Candidate candidate) {
            return candidate.endedAt().isAfter(begin);
        }

        boolean needs(Candidate candidate) {
            return has(candidate) || candidate.equals(opener);
        }
    }

    /** A damaged one too: it may hold the only sound copy of a file. */
    private static void keepWindow(List<Candidate> candidates, Window window, Kept kept) {
        for (Candidate candidate : candidates) {
            if (window.has(candidate)) {
                kept.add(candidate, new Reason.InWindow());
            } else if (candidate.equals(window.opener())) {
                kept.add(candidate, new Reason.BeginsWindow(window.begin()));
            }
        }
    }

    /** @return whether there are as many */
    private boolean keepMinimum(List<Candidate> oldestFirst, Kept kept) {
        int number = 0;
        for (int i = oldestFirst.size() - 1; i >= 0 && number < fulls; i--) {
            Candidate full = oldestFirst.get(i);
            if (full.isFull() && full.restorable()) {
                number++;
                for (Candidate candidate : oldestFirst) {
                    if (candidate.restorable() && kept.isBuiltOn(candidate, full)) {
                        kept.add(candidate, new Reason.Minimum(number, fulls));
                    }
                }
            }
        }
        if (number < fulls) {
            for (Candidate candidate : oldestFirst) {
                kept.add(candidate, new Reason.TooFew(number, fulls));
            }
        }
        return number == fulls;
    }

    private void keepGenerations(List<Candidate> oldestFirst, Period period, int count, Kept kept) {
        Set<String> names = new LinkedHashSet<>();
        for (int i = oldestFirst.size() - 1; i >= 0; i--) {
            Candidate candidate = oldestFirst.get(i);
            String name = period.of(candidate.endedAt().atZone(zone));
            if (candidate.restorable() && names.size() < count && names.add(name)) {
                kept.add(candidate, new Reason.Generation(period, name, names.size(), count));
            }
        }
    }

    private static void keepProven(List<Candidate> candidates, Kept kept) {
        candidates.stream()
                .filter(candidate -> candidate.provenAt() != null && candidate.restorable())
                .max(Comparator.comparing(candidate -> Objects.requireNonNull(candidate.provenAt())))
                .ifPresent(candidate ->
                        kept.add(candidate, new Reason.Proven(Objects.requireNonNull(candidate.provenAt()))));
    }

    private static List<WalDecision> allWal(List<Candidate> candidates) {
        return candidates.stream()
                .map(Candidate::paths)
                .distinct()
                .map(paths -> new WalDecision(paths, Lsn.INVALID, List.of()))
                .toList();
    }

    /** Of each system: a backup outside the window is restored to its own end, and needs no WAL behind it. */
    private static List<WalDecision> wal(List<Candidate> oldestFirst, Window window, Kept kept) {
        Map<BackupPaths, List<Candidate>> keeping = new LinkedHashMap<>();
        for (Candidate candidate : oldestFirst) {
            List<Candidate> ofSystem = keeping.computeIfAbsent(candidate.paths(), none -> new ArrayList<>());
            if (kept.isKept(candidate)) {
                ofSystem.add(candidate);
            }
        }
        List<WalDecision> decisions = new ArrayList<>();
        keeping.forEach((paths, backups) -> decisions.add(WalDecision.of(
                paths,
                inNeedOfWal(backups, window),
                backups.stream()
                        .flatMap(each -> Optional.ofNullable(each.wal()).stream())
                        .toList())));
        return decisions;
    }

    /**
     * Damaged ones too: who mends one wants to go on from it. Where another system has opened the window, this one may
     * still be alive, after an upgrade that was taken back: its newest backup keeps what leads on from it.
     */
    private static List<Candidate> inNeedOfWal(List<Candidate> kept, Window window) {
        List<Candidate> needed = kept.stream().filter(window::needs).toList();
        return needed.isEmpty() && !kept.isEmpty() ? kept.subList(kept.size() - 1, kept.size()) : needed;
    }

    /** The reasons so far. */
    private static final class Kept {

        private final List<Candidate> oldestFirst;
        private final Map<String, Candidate> byFolder = new HashMap<>();
        private final Map<Candidate, List<Reason>> reasons = new LinkedHashMap<>();

        Kept(List<Candidate> oldestFirst) {
            this.oldestFirst = oldestFirst;
            oldestFirst.forEach(candidate -> {
                byFolder.put(candidate.paths().backup(candidate.label()), candidate);
                reasons.put(candidate, new ArrayList<>());
            });
        }

        void add(Candidate candidate, Reason reason) {
            Objects.requireNonNull(reasons.get(candidate)).add(reason);
        }

        boolean isKept(Candidate candidate) {
            return !Objects.requireNonNull(reasons.get(candidate)).isEmpty();
        }

        private @Nullable Candidate parent(Candidate candidate) {
            BackupLabel parent = candidate.parent();
            return parent == null ? null : byFolder.get(candidate.paths().backup(parent));
        }

        /** Or is it. */
        boolean isBuiltOn(Candidate candidate, Candidate full) {
            Set<Candidate> passed = new LinkedHashSet<>();
            for (Candidate link = candidate; link != null && passed.add(link); link = parent(link)) {
                if (link.equals(full)) {
                    return true;
                }
            }
            return false;
        }

        void addWhatIsBuiltOn() {
            for (Candidate candidate : oldestFirst) {
                if (isKept(candidate)) {
                    Set<Candidate> passed = new LinkedHashSet<>(Set.of(candidate));
                    Candidate last = candidate;
                    for (Candidate link = parent(candidate); link != null && passed.add(link); link = parent(link)) {
                        addOnce(link, candidate);
                        last = link;
                    }
                    if (!last.isFull() && last.parent() == null) {
                        addWhatItMayBuildOn(last);
                    }
                }
            }
        }

        private void addOnce(Candidate link, Candidate builtOnIt) {
            if (!isKept(link)) {
                add(link, new Reason.NeededBy(builtOnIt.label()));
            }
        }

        /** Nobody can read what it builds on: it may be anything back to the full backup before it. */
        private void addWhatItMayBuildOn(Candidate unreadable) {
            for (int i = oldestFirst.indexOf(unreadable) - 1; i >= 0; i--) {
                Candidate older = oldestFirst.get(i);
                if (older.paths().equals(unreadable.paths())) {
                    addOnce(older, unreadable);
                    if (older.isFull()) {
                        return;
                    }
                }
            }
        }

        List<RetentionDecision.Verdict> verdicts() {
            return reasons.entrySet().stream()
                    .map(each -> new RetentionDecision.Verdict(each.getKey(), each.getValue()))
                    .toList();
        }
    }
}
