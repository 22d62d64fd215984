package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.wal.KeptWal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

    /** What is kept, to be read aloud. */
    String inWords() {
        List<String> rules = new ArrayList<>();
        rules.add("any moment of the last " + Durations.print(window));
        rules.add((fulls == 1 ? "the newest full backup" : "the " + fulls + " newest full backups")
                + " that can be restored, with all that is built on " + (fulls == 1 ? "it" : "them"));
        String kinds = Stream.of(Period.values())
                .filter(period -> generations.getOrDefault(period, 0) > 0)
                .map(period -> period.count(generations.getOrDefault(period, 0)))
                .collect(Collectors.joining(", "));
        if (!kinds.isEmpty()) {
            rules.add("the last backup of each of " + kinds + " that have one, in " + zone);
        }
        rules.add("the newest that a restore has proven");
        rules.add("what is pinned, in use, or lacking in a storage");
        rules.add("and all that these build on");
        return "kept:\n" + String.join(";\n", rules);
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
            candidate.lackedBy().forEach(storage -> kept.add(candidate, new Reason.LackedBy(storage)));
        }
        kept.addWhatIsBuiltOn();
        return new RetentionDecision(kept.verdicts(), enough ? wal(oldestFirst, wanted, kept) : allWal(oldestFirst));
    }

    /**
     * What the recovery window needs.
     *
     * @param openers the backups with which restores to its first moments begin, and why
     */
    private record Window(Instant begin, Map<Candidate, Reason> openers) {

        /** Of all systems together; and of each that was alive within the window, because after an upgrade one may go back. */
        static Window of(List<Candidate> oldestFirst, Instant begin) {
            List<Candidate> restorable =
                    oldestFirst.stream().filter(Candidate::restorable).toList();
            List<Candidate> before = restorable.stream()
                    .filter(candidate -> !candidate.endedAt().isAfter(begin))
                    .toList();
            var window = new Window(begin, new LinkedHashMap<>());
            window.open(before);
            restorable.stream()
                    .filter(window::has)
                    .map(Candidate::paths)
                    .distinct()
                    .forEach(system -> window.open(before.stream()
                            .filter(candidate -> candidate.paths().equals(system))
                            .toList()));
            return window;
        }

        private void open(List<Candidate> before) {
            if (before.isEmpty()) {
                return;
            }
            Candidate newest = before.get(before.size() - 1);
            openers.putIfAbsent(newest, new Reason.BeginsWindow(begin));
            if (!newest.leadsOn()) {
                leadingOn(before, newest)
                        .forEach(candidate ->
                                openers.putIfAbsent(candidate, new Reason.LeadsOn(begin, candidate.timeline())));
            }
            if (before.stream().noneMatch(candidate -> openers.containsKey(candidate) && candidate.isSound())) {
                before.stream()
                        .filter(candidate -> candidate.isSound() && candidate.leadsOn())
                        .reduce((older, newer) -> newer)
                        .ifPresent(candidate -> openers.put(candidate, new Reason.BeginsUnrefuted(begin)));
            }
        }

        /** What the present timeline goes on from; where nobody knows that, the newest of each timeline. */
        private static Collection<Candidate> leadingOn(List<Candidate> before, Candidate newest) {
            Map<Timeline, Candidate> newestOfEach = new LinkedHashMap<>();
            Candidate known = null;
            for (Candidate candidate : before) {
                if (candidate.paths().equals(newest.paths())) {
                    newestOfEach.put(candidate.timeline(), candidate);
                    known = candidate.leadsOn() ? candidate : known;
                }
            }
            return known == null ? newestOfEach.values() : List.of(known);
        }

        boolean has(Candidate candidate) {
            return candidate.endedAt().isAfter(begin);
        }

        boolean needs(Candidate candidate) {
            return has(candidate) || openers.containsKey(candidate);
        }
    }

    /** A damaged one too: it may hold the only sound copy of a file. */
    private static void keepWindow(List<Candidate> candidates, Window window, Kept kept) {
        for (Candidate candidate : candidates) {
            if (window.has(candidate)) {
                kept.add(candidate, new Reason.InWindow());
            } else {
                Reason opens = window.openers().get(candidate);
                if (opens != null) {
                    kept.add(candidate, opens);
                }
            }
        }
    }

    /** @return whether there are as many */
    private boolean keepMinimum(List<Candidate> oldestFirst, Kept kept) {
        int number = 0;
        int sound = 0;
        for (int i = oldestFirst.size() - 1; i >= 0 && (number < fulls || sound < fulls); i--) {
            Candidate full = oldestFirst.get(i);
            if (full.isFull() && full.restorable()) {
                sound += full.refuted() ? 0 : 1;
                if (number < fulls) {
                    number++;
                    keepChain(oldestFirst, full, new Reason.Minimum(number, fulls), kept);
                } else if (!full.refuted()) {
                    keepChain(oldestFirst, full, new Reason.Unrefuted(sound, fulls), kept);
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

    private static void keepChain(List<Candidate> candidates, Candidate full, Reason reason, Kept kept) {
        for (Candidate candidate : candidates) {
            if (candidate.restorable() && kept.isBuiltOn(candidate, full)) {
                kept.add(candidate, reason);
            }
        }
    }

    /** Of a period whose last backup was refuted, the last that was not, too. */
    private void keepGenerations(List<Candidate> oldestFirst, Period period, int count, Kept kept) {
        Map<String, Reason> periods = new LinkedHashMap<>();
        Set<String> sound = new HashSet<>();
        for (int i = oldestFirst.size() - 1; i >= 0; i--) {
            Candidate candidate = oldestFirst.get(i);
            String name = period.of(candidate.endedAt().atZone(zone));
            boolean isLast = !periods.containsKey(name) && periods.size() < count;
            if (candidate.restorable() && isLast) {
                periods.put(name, new Reason.Generation(period, name, periods.size() + 1, count));
            }
            Reason reason = periods.get(name);
            boolean isWanted = isLast || (candidate.isSound() && !sound.contains(name));
            if (candidate.restorable() && reason != null && isWanted) {
                kept.add(candidate, reason);
                if (candidate.isSound()) {
                    sound.add(name);
                }
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

    private static List<KeptWal> allWal(List<Candidate> candidates) {
        return candidates.stream()
                .map(Candidate::paths)
                .distinct()
                .map(paths -> new KeptWal(paths, Lsn.INVALID, List.of()))
                .toList();
    }

    /** Of each system: a backup outside the window is restored to its own end, and needs no WAL behind it. */
    private static List<KeptWal> wal(List<Candidate> oldestFirst, Window window, Kept kept) {
        Map<BackupPaths, List<Candidate>> keeping = new LinkedHashMap<>();
        for (Candidate candidate : oldestFirst) {
            List<Candidate> ofSystem = keeping.computeIfAbsent(candidate.paths(), none -> new ArrayList<>());
            if (kept.isKept(candidate)) {
                ofSystem.add(candidate);
            }
        }
        List<KeptWal> wal = new ArrayList<>();
        keeping.forEach((paths, backups) -> wal.add(wal(paths, backups, inNeedOfWal(backups, window))));
        return wal;
    }

    /** @param needed the backups from which WAL leads on; one whose beginning nobody knows keeps all */
    private static KeptWal wal(BackupPaths paths, List<Candidate> kept, List<Candidate> needed) {
        Optional<Lsn> from = needed.stream().map(Candidate::startLsn).min(Lsn::compareTo);
        return new KeptWal(
                paths,
                from.orElse(null),
                kept.stream()
                        .flatMap(each -> Optional.ofNullable(each.wal()).stream())
                        .filter(range -> from.isEmpty() || range.start().isBefore(from.get()))
                        .toList());
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
        private final Map<Candidate.Name, Candidate> byName = new HashMap<>();
        private final Map<Candidate, List<Reason>> reasons = new LinkedHashMap<>();

        Kept(List<Candidate> oldestFirst) {
            this.oldestFirst = oldestFirst;
            oldestFirst.forEach(candidate -> {
                byName.put(candidate.name(), candidate);
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
            return byName.get(candidate.parentName());
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
