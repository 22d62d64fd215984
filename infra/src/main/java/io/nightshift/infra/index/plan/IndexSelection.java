package io.nightshift.infra.index.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the candidates that help the whole workload most: one after the other, each for what it brings beside those before it and
 * the writes that it costs; one that a wider one replaces goes. The first of equal ones wins, so that the same input gives the
 * same choice.
 */
final class IndexSelection {

    /** What one more index has to bring of all queries' time. */
    private static final double NOTICEABLE = 0.003;
    /** Of those that bring almost as much, the smallest is taken. */
    private static final double ALMOST = 0.97;
    /** Columns that are only carried along have to pay, for they make every change of them dearer. */
    private static final double CARRIED = 0.8;

    /** A query with what it would cost. */
    record Case(PlannedQuery planned, PlanCost cost, Set<Long> tables) {

        /** Milliseconds that one unit of the planner's cost takes in all of its calls. */
        double perUnit() {
            return planned.query().milliseconds() / Math.max(1e-9, now());
        }

        double now() {
            return planned.plan().estimate().total();
        }
    }

    private final List<Case> cases;
    private final MissingLimits limits;
    private final ToLongFunction<IndexCandidate> bytes;
    private final ToDoubleFunction<IndexCandidate> writing;
    private final double milliseconds;
    private final IdentityHashMap<Case, Map<List<Integer>, Cost>> known = new IdentityHashMap<>();
    private final IdentityHashMap<IndexCandidate, Integer> places = new IdentityHashMap<>();

    /**
     * For a workload.
     *
     * @param bytes how large a candidate would be
     * @param writing the milliseconds that keeping it up to date would take
     */
    IndexSelection(
            List<Case> cases,
            MissingLimits limits,
            ToLongFunction<IndexCandidate> bytes,
            ToDoubleFunction<IndexCandidate> writing) {
        this.cases = cases;
        this.limits = limits;
        this.bytes = bytes;
        this.writing = writing;
        this.milliseconds = cases.stream()
                .mapToDouble(one -> one.planned().query().milliseconds())
                .sum();
    }

    Cost cost(Case one, List<IndexCandidate> indexes) {
        List<IndexCandidate> own = indexes.stream()
                .filter(index -> one.tables().contains(index.table()))
                .toList();
        List<Integer> key = own.stream()
                .map(index -> places.computeIfAbsent(index, first -> places.size()))
                .sorted()
                .toList();
        return known.computeIfAbsent(one, first -> new HashMap<>())
                .computeIfAbsent(key, set -> one.cost().with(own));
    }

    /** What all queries and the writes take with these indexes, in milliseconds. */
    private double total(List<IndexCandidate> indexes) {
        return cases.stream()
                        .mapToDouble(one -> cost(one, indexes).total() * one.perUnit())
                        .sum()
                + indexes.stream().mapToDouble(writing).sum();
    }

    /**
     * Chooses.
     *
     * @param room bytes that all chosen ones may take
     * @param existing how many indexes a table has already
     */
    List<IndexCandidate> choose(List<IndexCandidate> candidates, long room, ToLongFunction<Long> existing) {
        List<IndexCandidate> chosen = List.of();
        while (chosen.size() <= limits.most()) {
            List<IndexCandidate> next = next(chosen, candidates, room, existing);
            if (next == null) {
                break;
            }
            chosen = next;
        }
        List<IndexCandidate> useful = used(chosen);
        boolean isWorthwhile = milliseconds - total(useful) >= milliseconds * limits.worthwhile() / 100;
        return isWorthwhile ? useful : List.of();
    }

    /** A later one may do the work of an earlier one, too. */
    private List<IndexCandidate> used(List<IndexCandidate> chosen) {
        Set<IndexCandidate> used = new HashSet<>();
        cases.forEach(one -> used.addAll(cost(one, chosen).used()));
        return chosen.stream().filter(used::contains).toList();
    }

    private record Step(List<IndexCandidate> indexes, double gain, long bytes) {}

    private @Nullable List<IndexCandidate> next(
            List<IndexCandidate> chosen, List<IndexCandidate> candidates, long room, ToLongFunction<Long> existing) {
        double before = total(chosen);
        List<Step> steps = new ArrayList<>();
        for (IndexCandidate candidate : candidates) {
            List<IndexCandidate> with = with(chosen, candidate);
            long size = with.stream().mapToLong(bytes).sum();
            long onTable = existing.applyAsLong(candidate.table())
                    + with.stream()
                            .filter(one -> one.table() == candidate.table())
                            .count();
            double gain = (before - total(with)) * (candidate.shape().included().isEmpty() ? 1 : CARRIED);
            if (!chosen.contains(candidate)
                    && with.size() <= limits.most()
                    && size <= room
                    && onTable <= limits.perTable()
                    && gain >= NOTICEABLE * milliseconds
                    && isMuchBetterForOne(chosen, with)) {
                steps.add(new Step(with, gain, size));
            }
        }
        double best = steps.stream().mapToDouble(Step::gain).max().orElse(0);
        return steps.stream()
                .filter(step -> step.gain() >= ALMOST * best)
                .min(Comparator.comparing(Step::bytes).thenComparing(Step::gain, Comparator.reverseOrder()))
                .map(Step::indexes)
                .orElse(null);
    }

    private static List<IndexCandidate> with(List<IndexCandidate> chosen, IndexCandidate candidate) {
        List<IndexCandidate> with = new ArrayList<>(chosen);
        with.removeIf(one -> one.table() == candidate.table() && one.shape().isCoveredBy(candidate.shape()));
        with.add(candidate);
        return with;
    }

    private boolean isMuchBetterForOne(List<IndexCandidate> before, List<IndexCandidate> after) {
        double left = 1 - limits.better() / 100.0;
        return cases.stream()
                .anyMatch(one ->
                        cost(one, after).total() <= left * cost(one, before).total());
    }
}
