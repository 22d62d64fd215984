package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.run.Cancellation;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The chunks that nobody has begun yet, for as long as there is time. The rows of a table come when all of its pages have
 * been looked at. Thread-safe: each partition takes the next one.
 */
final class OpenChunks {

    private static final long LOOK_MILLIS = 200;

    private final Map<Chunk, Piece> open = new LinkedHashMap<>();
    /** How many chunks of the pages of each table are not finished. */
    private final Map<String, Integer> ofPages = new HashMap<>();

    private final Set<String> damagedTables = new HashSet<>();
    private final long deadline;
    private final Cancellation cancellation;
    private final @Nullable GiveWay others;
    private boolean ended;

    /**
     * @param chunks of a run, finished ones too
     * @param others who may wait for our sessions; null where nobody else is
     */
    OpenChunks(List<Chunk> chunks, Duration limit, Cancellation cancellation, @Nullable GiveWay others) {
        this.deadline = System.nanoTime() + limit.toNanos();
        this.cancellation = cancellation;
        this.others = others;
        for (Chunk chunk : chunks) {
            Piece piece = Piece.parse(chunk.work());
            if (piece.target().check() == Check.HEAP) {
                ofPages.merge(table(piece.target()), 1, Integer::sum);
            }
            if (chunk.isFinished()) {
                learn(piece, Outcome.parse(String.valueOf(chunk.outcome())));
            } else {
                open.put(chunk, piece);
            }
        }
    }

    boolean isOver() {
        return System.nanoTime() - deadline > 0;
    }

    /** One is finished. Which tables are damaged is kept: to read their rows could end the server. */
    synchronized void learn(Piece piece, Outcome outcome) {
        if (piece.target().check() == Check.HEAP) {
            String table = table(piece.target());
            ofPages.computeIfPresent(table, (name, left) -> left == 1 ? null : left - 1);
            if (outcome.count() > 0) {
                damagedTables.add(table);
            }
            notifyAll();
        }
    }

    /**
     * Whether it reads the rows of a table that is known to be damaged. A server that tidies up such a page while it reads may
     * go down as a whole: seen with 17, "PANIC: corrupted line pointer".
     */
    synchronized boolean isDamaged(Target target) {
        return readsRows(target) && damagedTables.contains(table(target));
    }

    private static boolean readsRows(Target target) {
        return target.check() != Check.HEAP && target.check() != Check.OPEN;
    }

    private static String table(Target target) {
        return target.database() + "." + target.table();
    }

    /**
     * Waits while all that is open reads rows of tables whose pages others are just looking at. Empty when none is open, time
     * is over, or a partition has failed.
     */
    synchronized Optional<Chunk> next() {
        while (true) {
            cancellation.check();
            if (ended || isOver() || open.isEmpty()) {
                return Optional.empty();
            }
            for (Iterator<Map.Entry<Chunk, Piece>> each = open.entrySet().iterator(); each.hasNext(); ) {
                Map.Entry<Chunk, Piece> next = each.next();
                Target target = next.getValue().target();
                if (!readsRows(target) || !ofPages.containsKey(table(target))) {
                    each.remove();
                    return Optional.of(next.getKey());
                }
            }
            try {
                wait(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            }
        }
    }

    /** Nobody gets another one. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    @Nullable
    GiveWay others() {
        return others;
    }
}
