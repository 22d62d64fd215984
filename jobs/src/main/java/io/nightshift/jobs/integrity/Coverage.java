package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.ChunkBook;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** When what of one server was last looked at whole, by all runs. What was never looked at is kept with when it was first seen. */
final class Coverage {

    private static final String NEVER = "never ";
    private static final String WRONG = "wrong ";

    private final ChunkBook book;
    private final String cluster;
    private final String where;
    private final Map<String, Instant> known = new HashMap<>();

    private Coverage(ChunkBook book, String cluster, String where) {
        this.book = book;
        this.cluster = cluster;
        this.where = where;
    }

    /** @param server whose coverage it is: a node's address, or what stands for any restored copy */
    static Coverage of(String server, ChunkBook book, String cluster) {
        var coverage = new Coverage(book, cluster, server + " ");
        book.covered(cluster).forEach((target, at) -> {
            if (target.startsWith(coverage.where)) {
                coverage.known.put(target.substring(coverage.where.length()), at);
            }
        });
        return coverage;
    }

    /** The latest look at each key; none where there was none. */
    Map<String, Instant> looks() {
        Map<String, Instant> looks = new HashMap<>();
        known.forEach((key, at) -> {
            if (key.startsWith(Target.KEY)) {
                looks.put(key, at);
            }
        });
        return looks;
    }

    /** Whether something was wrong with it when it was looked at last. */
    boolean wasWrong(Target target) {
        return known.containsKey(WRONG + target.key());
    }

    /** Since when it waits to be looked at again, or for the first time. */
    Instant waitsSince(Target target, Instant now) {
        return known.getOrDefault(target.key(), known.getOrDefault(NEVER + target.key(), now));
    }

    /** Those that were not looked at for longer than this. */
    List<Target> overdue(Collection<Target> targets, Duration within, Instant now) {
        return targets.stream()
                .filter(target -> waitsSince(target, now).isBefore(now.minus(within)))
                .toList();
    }

    /** The look that is longest ago; empty where there was none at all. */
    Optional<Instant> oldest(Collection<Target> targets) {
        Map<String, Instant> looks = looks();
        return targets.stream()
                .filter(target -> looks.containsKey(target.key()))
                .map(target -> looks.get(target.key()))
                .min(Comparator.naturalOrder());
    }

    /** How many were never looked at. */
    long never(Collection<Target> targets) {
        return targets.stream()
                .filter(target -> !known.containsKey(target.key()))
                .count();
    }

    /**
     * Keeps what was looked at now and what is new, and forgets what is not there any more.
     *
     * @param all targets of the server, also those that cannot be looked at
     */
    void keep(Collection<Target> all, Collection<String> sound, Collection<String> wrong, Instant now) {
        List<String> kept = new ArrayList<>();
        Set<String> gone = new HashSet<>();
        sound.forEach(key -> {
            kept.add(key);
            gone.add(WRONG + key);
            gone.add(NEVER + key);
        });
        wrong.forEach(key -> {
            kept.add(key);
            kept.add(WRONG + key);
            gone.add(NEVER + key);
        });
        Set<String> there = new HashSet<>();
        Set<String> read = new HashSet<>();
        for (Target target : all) {
            there.add(target.key());
            read.add(beginning(target));
            if (target.gap() == null && !known.containsKey(target.key()) && !known.containsKey(NEVER + target.key())) {
                kept.add(NEVER + target.key());
            }
        }
        all.stream().filter(target -> target.object().isEmpty()).forEach(target -> read.remove(beginning(target)));
        for (String row : known.keySet()) {
            String key = row.substring(Math.max(0, row.indexOf(Target.KEY)));
            if (!there.contains(key) && read.stream().anyMatch(key::startsWith)) {
                gone.add(row);
            }
        }
        kept.removeAll(gone);
        gone.retainAll(known.keySet());
        book.cover(cluster, kept.stream().map(key -> where + key).toList(), now);
        book.forget(cluster, gone.stream().map(key -> where + key).toList());
        kept.forEach(key -> known.put(key, now));
        known.keySet().removeAll(gone);
    }

    /** Of the keys of all targets of the same kind in the same database. */
    private static String beginning(Target target) {
        return Target.KEY + target.check() + "/" + target.database() + ".";
    }
}
