package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The pages behind the first, which the WAL of small real backups does not reach. */
class WalSegmentCheckTest {

    private static final SystemIdentifier SYSTEM = SystemIdentifier.parse("7711071849857489922");
    private static final int PAGE = 8192;
    private static final int SIZE = 1 << 20;
    private static final Lsn START = new Lsn(5L * SIZE);
    private static final int PAGES = SIZE / PAGE;

    private final ByteBuffer segment = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);

    WalSegmentCheckTest() {
        for (int page = 0; page < PAGES; page++) {
            page(page, 3);
        }
        segment.putShort(2, (short) 0x0002);
        segment.putLong(24, SYSTEM.id());
        segment.putInt(32, SIZE);
        segment.putInt(36, PAGE);
    }

    @Test
    void a_whole_segment_is_right_whatever_the_pieces_it_comes_in() {
        for (int piece : new int[] {1 << 20, 8192, 8191, 17}) {
            assertThat(judge(upTo(SIZE), piece)).as("pieces of %s", piece).isEmpty();
        }
    }

    @Test
    void a_switch_leaves_the_rest_of_a_segment_empty() {
        emptyFrom(10);

        assertThat(judge(upTo(2L * SIZE), PAGE)).isEmpty();
        assertThat(judge(upTo(SIZE), PAGE))
                .as("WAL needed up to where the switch leads")
                .isEmpty();
        assertThat(judge(upTo(10L * PAGE), PAGE))
                .as("WAL needed up to the switch")
                .isEmpty();
    }

    @Test
    void pages_that_are_needed_are_not_empty() {
        emptyFrom(10);

        assertThat(judge(upTo(10L * PAGE + 1), PAGE))
                .isEqualTo("is empty from byte 81920 on; WAL is needed up to " + START.plus(10L * PAGE + 1));
    }

    @Test
    void nothing_follows_a_switch() {
        emptyFrom(10);
        page(12, 3);

        assertThat(judge(upTo(2L * SIZE), PAGE)).isEqualTo("has a foreign page at byte 98304");
    }

    @Test
    void a_page_of_another_place_or_another_version_is_foreign() {
        segment.putLong(20 * PAGE + 8, START.plus(7L * PAGE).position());
        assertThat(judge(upTo(SIZE), PAGE))
                .isEqualTo("holds the WAL of " + START.plus(7L * PAGE) + " at byte 163840, where "
                        + START.plus(20L * PAGE) + " belongs");

        page(20, 3);
        segment.putShort(21 * PAGE, (short) 0xD10D);
        assertThat(judge(upTo(SIZE), PAGE)).isEqualTo("has a foreign page at byte 172032");
    }

    @Test
    void a_segment_begins_with_the_timeline_before_and_never_goes_back_to_it() {
        for (int page = 0; page < 5; page++) {
            segment.putInt(page * PAGE + 4, 2);
        }
        assertThat(judge(upTo(SIZE), PAGE)).isEmpty();

        segment.putInt(9 * PAGE + 4, 2);
        assertThat(judge(upTo(SIZE), PAGE)).isEqualTo("holds WAL of timeline 2 at byte 73728");

        segment.putInt(9 * PAGE + 4, 4);
        assertThat(judge(upTo(SIZE), PAGE)).isEqualTo("holds WAL of timeline 4 at byte 73728");
    }

    @Test
    void what_is_not_needed_may_be_anything() {
        Arrays.fill(segment.array(), 30 * PAGE, SIZE, (byte) 0x5A);

        assertThat(judge(upTo(30L * PAGE), PAGE)).isEmpty();
        assertThat(judge(upTo(30L * PAGE + 1), PAGE)).isEqualTo("has a foreign page at byte 245760");
    }

    private void page(int number, int timeline) {
        segment.putShort(number * PAGE, (short) 0xD118);
        segment.putInt(number * PAGE + 4, timeline);
        segment.putLong(number * PAGE + 8, START.plus((long) number * PAGE).position());
    }

    private void emptyFrom(int page) {
        Arrays.fill(segment.array(), page * PAGE, SIZE, (byte) 0);
    }

    private static WalRange upTo(long offset) {
        return new WalRange(new Timeline(3), START, START.plus(offset));
    }

    private String judge(WalRange needed, int piece) {
        var check = new WalSegmentCheck(SYSTEM, needed, new Timeline(3), START, SIZE);
        for (int at = 0; at < SIZE; at += piece) {
            check.content(segment.array(), at, Math.min(piece, SIZE - at));
        }
        return check.judge();
    }
}
