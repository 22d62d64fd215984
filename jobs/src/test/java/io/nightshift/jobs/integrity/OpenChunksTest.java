package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.run.Cancellation;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OpenChunksTest {

    private static final Piece PAGES = piece(Check.HEAP, "orders");
    private static final Piece MORE_PAGES = piece(Check.HEAP, "orders");
    private static final Piece INDEX = piece(Check.BTREE, "orders");
    private static final Piece OTHER = piece(Check.BTREE, "bills");

    private final List<Chunk> chunks = List.of(
            new Chunk(1, PAGES.json(), null),
            new Chunk(2, MORE_PAGES.json(), null),
            new Chunk(3, INDEX.json(), null),
            new Chunk(4, OTHER.json(), null));

    private static Piece piece(Check check, String table) {
        return new Piece(
                new Target(
                        check,
                        "shop",
                        table,
                        table,
                        1,
                        new Target.Size(Piece.BLOCK, 10),
                        true,
                        null,
                        "SELECT '', '', 0::bigint"),
                0,
                null,
                1);
    }

    private static OpenChunks open(List<Chunk> chunks) {
        return new OpenChunks(chunks, Duration.ofHours(1), new Cancellation(), null);
    }

    private static int number(Optional<Chunk> chunk) {
        return chunk.orElseThrow().number();
    }

    @Test
    void nobody_reads_the_rows_of_a_table_whose_pages_are_still_looked_at() {
        OpenChunks open = open(chunks);

        assertThat(List.of(number(open.next()), number(open.next()))).containsExactly(1, 2);
        assertThat(number(open.next())).isEqualTo(4);
        CompletableFuture<Optional<Chunk>> waiting = CompletableFuture.supplyAsync(open::next);
        open.learn(PAGES, Outcome.PASS);
        assertThat(waiting).isNotDone();
        open.learn(MORE_PAGES, Outcome.damage("line pointer corrupted"));

        assertThat(number(waiting.join())).isEqualTo(3);
        assertThat(open.isDamaged(INDEX.target())).isTrue();
        assertThat(open.isDamaged(OTHER.target())).isFalse();
        assertThat(open.next()).isEmpty();
    }

    @Test
    void pages_that_were_looked_at_before_a_restart_keep_nobody_waiting() {
        OpenChunks open = open(List.of(
                new Chunk(1, PAGES.json(), Outcome.PASS.json()),
                new Chunk(2, MORE_PAGES.json(), Outcome.PASS.json()),
                chunks.get(2)));

        assertThat(number(open.next())).isEqualTo(3);
    }

    @Test
    void whoever_waits_gets_nothing_when_another_partition_has_failed() {
        OpenChunks open = open(List.of(chunks.get(0), chunks.get(2)));
        assertThat(number(open.next())).isEqualTo(1);
        CompletableFuture<Optional<Chunk>> waiting = CompletableFuture.supplyAsync(open::next);

        open.end();

        assertThat(waiting.join()).isEmpty();
    }
}
