package io.nightshift.jobs.integrity;

import io.nightshift.infra.run.Progress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A chunk of a target: some of its blocks, or all of it.
 *
 * @param from the first block
 * @param to the block behind the last one; null for the end, wherever it is by then
 * @param blocks that it has about
 */
record Piece(Target target, long from, @Nullable Long to, long blocks) {

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern PLACE = Pattern.compile("at \\((\\d+),(\\d+)\\)$");
    static final int BLOCK = 8192;

    /** All of a target in pieces of at most so many blocks, equal ones; the last one goes to its end. */
    static List<Piece> of(Target target, long most) {
        long all = target.bytes() / BLOCK;
        if (target.check().cut() == Check.Cut.WHOLE || target.gap() != null || all <= most) {
            return List.of(new Piece(target, 0, null, all));
        }
        long count = (all + most - 1) / most;
        long size = (all + count - 1) / count;
        List<Piece> pieces = new ArrayList<>();
        for (long from = 0; from < all; from += size) {
            boolean last = from + size >= all;
            pieces.add(new Piece(target, from, last ? null : from + size, last ? all - from : size));
        }
        return pieces;
    }

    static Piece parse(String json) {
        return JSON.readValue(json, Piece.class);
    }

    String json() {
        return JSON.writeValueAsString(this);
    }

    /** Both halves of it; empty where there are none. */
    Optional<List<Piece>> halves() {
        if (target.check().cut() == Check.Cut.WHOLE || blocks < 2) {
            return Optional.empty();
        }
        long half = blocks / 2;
        return Optional.of(
                List.of(new Piece(target, from, from + half, half), new Piece(target, from + half, to, blocks - half)));
    }

    long bytes() {
        return blocks * BLOCK;
    }

    /** About as many as its share of the blocks. */
    long rows() {
        long all = target.size().bytes() / BLOCK;
        return all == 0
                ? target.size().rows()
                : Math.round((double) target.size().rows() * blocks / all);
    }

    /** All of them are to be looked at. */
    static void begin(Progress progress, String step, Collection<Piece> pieces) {
        progress.begin(step, pieces.stream().mapToLong(Piece::bytes).sum(), "bytes");
        progress.expectRows(pieces.stream().mapToLong(Piece::rows).sum());
    }

    void isDone(Progress progress) {
        progress.advance(bytes(), rows());
    }

    /** How a prepared query is asked for it. */
    String parameters() {
        return switch (target.check().cut()) {
            case WHOLE -> "";
            case BLOCKS -> "(" + from + ", " + (to == null ? "NULL" : Long.toString(to - 1)) + ")";
            case ROWS -> "('(" + from + ",0)', '(" + (to == null ? 4_294_967_295L : to) + ",0)')";
        };
    }

    /** The same for one row that it has shown, which ends with where it is. */
    String parametersOf(Outcome.Hit hit) {
        Matcher place = PLACE.matcher(hit.row());
        if (!place.find()) {
            return parameters();
        }
        String block = place.group(1);
        int row = Integer.parseInt(place.group(2));
        return "('(" + block + "," + row + ")', '(" + block + "," + (row + 1) + ")')";
    }

    /** The types of the parameters, for PREPARE. */
    String parameterTypes() {
        return switch (target.check().cut()) {
            case WHOLE -> "";
            case BLOCKS -> "(bigint, bigint)";
            case ROWS -> "(tid, tid)";
        };
    }
}
