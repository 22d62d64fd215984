package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.wal.KeptWal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of each backup, and of the WAL.
 *
 * @param verdicts oldest first
 * @param wal one for each system
 */
record RetentionDecision(List<Verdict> verdicts, List<KeptWal> wal) {

    /** @param reasons why it is kept; empty if it expires */
    record Verdict(Candidate backup, List<Reason> reasons) {

        Verdict {
            reasons = List.copyOf(reasons);
        }

        boolean isKept() {
            return !reasons.isEmpty();
        }
    }

    RetentionDecision {
        verdicts = List.copyOf(verdicts);
        wal = List.copyOf(wal);
    }

    List<Candidate> kept() {
        return verdicts.stream().filter(Verdict::isKept).map(Verdict::backup).toList();
    }

    /** In the order in which they may go: what builds on another goes before it. */
    List<Candidate> expired() {
        Map<Candidate.Name, Candidate> byName = new HashMap<>();
        List<Candidate> expired = new ArrayList<>();
        for (Verdict verdict : verdicts) {
            if (!verdict.isKept()) {
                expired.add(verdict.backup());
                byName.put(verdict.backup().name(), verdict.backup());
            }
        }
        Map<BackupLabel, Integer> links = new HashMap<>();
        expired.forEach(backup -> links.put(backup.label(), links(backup, byName)));
        expired.sort(Comparator.comparing((Candidate backup) -> links.getOrDefault(backup.label(), 0))
                .thenComparing(Candidate::endedAt)
                .reversed());
        return List.copyOf(expired);
    }

    /**
     * Of those that expire what is deleted by now, in the same order: earlier runs have said for a night that it expires, and
     * nobody works with it or with what is built on it.
     */
    List<Candidate> due(RetentionPast past, Instant now) {
        List<Candidate> due = new ArrayList<>();
        Set<Candidate.Name> stillBuiltOn = new HashSet<>();
        for (Candidate backup : expired()) {
            boolean isDue = past.deletedFrom(backup.label())
                            .filter(from -> !from.isAfter(now))
                            .isPresent()
                    && backup.users().isEmpty()
                    && !stillBuiltOn.contains(backup.name());
            if (isDue) {
                due.add(backup);
            } else if (backup.parent() != null) {
                stillBuiltOn.add(backup.parentName());
            }
        }
        return due;
    }

    /** The WAL that backups of a system need which expire and are not deleted yet. */
    KeptWal lingering(BackupPaths system, RetentionPast past, Instant now) {
        Set<Candidate> due = new HashSet<>(due(past, now));
        return new KeptWal(
                system,
                null,
                expired().stream()
                        .filter(backup -> backup.paths().equals(system) && !due.contains(backup))
                        .flatMap(backup -> Stream.ofNullable(backup.wal()))
                        .toList());
    }

    /** The same, with systems of which nothing was kept before and of which there is no backup any more. */
    RetentionDecision with(Collection<BackupPaths> ended) {
        List<KeptWal> all = new ArrayList<>(wal);
        ended.stream()
                .filter(system -> wal.stream().noneMatch(known -> known.paths().equals(system)))
                .forEach(system -> all.add(new KeptWal(system, null, List.of())));
        return new RetentionDecision(verdicts, all);
    }

    /** Of what expires; one that leads back to itself ends somewhere. */
    private static int links(Candidate backup, Map<Candidate.Name, Candidate> expired) {
        int links = 0;
        @Nullable Candidate link = backup;
        while (link != null && links <= expired.size()) {
            links++;
            link = expired.get(link.parentName());
        }
        return links;
    }
}
