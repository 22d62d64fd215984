package io.nightshift.infra.chunk;

import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.RunId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Chunks in memory. */
final class RememberedChunks implements ChunkBook {

    private record Plan(String place, List<Chunk> chunks) {}

    private final Map<RunId, List<Plan>> plans = new HashMap<>();
    private final Map<String, Map<String, Instant>> covered = new HashMap<>();

    @Override
    public synchronized List<Chunk> chunks(RunContext run, String place) {
        return plans(run).stream()
                .filter(plan -> plan.place().equals(place))
                .flatMap(plan -> plan.chunks().stream())
                .toList();
    }

    @Override
    public synchronized void plan(RunContext run, String place, List<String> works) {
        plans(run).removeIf(plan -> plan.place().equals(place));
        int first = plans(run).stream()
                .flatMap(plan -> plan.chunks().stream())
                .mapToInt(chunk -> chunk.number() + 1)
                .max()
                .orElse(0);
        List<Chunk> chunks = new ArrayList<>();
        works.forEach(work -> chunks.add(new Chunk(first + chunks.size(), work, null)));
        plans(run).add(new Plan(place, chunks));
    }

    @Override
    public synchronized void finish(RunContext run, Map<Integer, String> outcomes) {
        plans(run)
                .forEach(plan -> plan.chunks()
                        .replaceAll(chunk -> outcomes.containsKey(chunk.number()) && !chunk.isFinished()
                                ? new Chunk(chunk.number(), chunk.work(), outcomes.get(chunk.number()))
                                : chunk));
    }

    private List<Plan> plans(RunContext run) {
        return plans.computeIfAbsent(run.id(), first -> new ArrayList<>());
    }

    @Override
    public synchronized Map<String, Instant> covered(String cluster) {
        return Map.copyOf(covered.getOrDefault(cluster, Map.of()));
    }

    @Override
    public synchronized void cover(String cluster, Collection<String> targets, Instant at) {
        Map<String, Instant> known = covered.computeIfAbsent(cluster, first -> new HashMap<>());
        targets.forEach(target -> known.merge(target, at, (old, now) -> old.isAfter(now) ? old : now));
    }

    @Override
    public synchronized void forget(String cluster, Collection<String> targets) {
        covered.getOrDefault(cluster, new HashMap<>()).keySet().removeAll(targets);
    }
}
