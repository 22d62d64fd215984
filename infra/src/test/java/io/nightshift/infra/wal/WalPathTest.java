package io.nightshift.infra.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.wal.WalLineage.Branch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Segments of 1 MiB, the smallest that a server has. */
class WalPathTest {

    private static final long SIZE = 1 << 20;
    private static final Timeline FIRST = new Timeline(1);
    private static final Timeline SECOND = new Timeline(2);

    /** The second timeline left the first inside segment 5. */
    private static final Lsn SWITCH = at(5, 1000);

    private static final WalLineage LINEAGE =
            new WalLineage(List.of(new Branch(FIRST, Lsn.INVALID, SWITCH), new Branch(SECOND, SWITCH, null)));

    private static Lsn at(long segment, long bytes) {
        return new Lsn(segment * SIZE + bytes);
    }

    private static WalObject segment(Timeline timeline, long number) {
        return new WalObject.Segment(new WalSegment(timeline, number, SIZE));
    }

    private static WalObject partial(Timeline timeline, long number, long bytes) {
        return new WalObject.Partial(new WalSegment(timeline, number, SIZE), at(number, bytes));
    }

    private static WalPath path(WalLineage lineage, Lsn from, WalObject... objects) {
        return WalPath.of(lineage, WalCoverage.of(List.of(objects)), SIZE, from);
    }

    private static List<WalObject> objects(WalPath path) {
        return path.steps().stream().map(WalPath.Step::object).toList();
    }

    @Test
    void goes_over_to_the_new_timeline_with_the_segment_of_the_switch() {
        WalPath path = path(
                LINEAGE,
                at(4, 77),
                segment(FIRST, 3),
                segment(FIRST, 4),
                segment(FIRST, 5),
                segment(FIRST, 6),
                segment(SECOND, 5),
                partial(SECOND, 6, 80));

        assertThat(objects(path)).containsExactly(segment(FIRST, 4), segment(SECOND, 5), partial(SECOND, 6, 80));
        assertThat(path.end()).isEqualTo(at(6, 80));
        assertThat(path.timeline(at(4, SIZE - 1))).isEqualTo(FIRST);
        assertThat(path.timeline(at(5, 0))).isEqualTo(SECOND);
        assertThat(path.timeline(at(9, 0))).isEqualTo(SECOND);
    }

    @Test
    void ends_at_the_switch_when_nothing_of_the_new_timeline_is_archived_yet() {
        WalPath path =
                path(LINEAGE, at(4, 0), segment(FIRST, 4), segment(FIRST, 5), segment(FIRST, 6), segment(FIRST, 7));

        assertThat(objects(path)).containsExactly(segment(FIRST, 4), segment(FIRST, 5));
        assertThat(path.end()).isEqualTo(SWITCH);
    }

    @Test
    void does_not_fill_a_hole_in_the_new_timeline_with_what_the_old_one_wrote_after_the_switch() {
        WalPath path = path(
                LINEAGE,
                at(4, 0),
                segment(FIRST, 4),
                segment(FIRST, 5),
                segment(FIRST, 6),
                segment(FIRST, 7),
                segment(SECOND, 5),
                segment(SECOND, 7));

        assertThat(objects(path)).containsExactly(segment(FIRST, 4), segment(SECOND, 5));
        assertThat(path.end()).isEqualTo(at(6, 0));
    }

    @Test
    void reads_the_old_timeline_up_to_the_switch_where_the_new_one_was_not_archived_as_far() {
        WalPath shorter = path(LINEAGE, at(5, 0), partial(FIRST, 5, 1500), partial(SECOND, 5, 800));
        WalPath longer = path(LINEAGE, at(5, 0), partial(FIRST, 5, 1500), partial(SECOND, 5, 1008));

        assertThat(objects(shorter)).containsExactly(partial(FIRST, 5, 1500));
        assertThat(shorter.end()).isEqualTo(SWITCH);
        assertThat(objects(longer)).containsExactly(partial(SECOND, 5, 1008));
    }

    @Test
    void a_switch_between_two_segments_needs_nothing_of_the_old_timeline_behind_it() {
        var lineage =
                new WalLineage(List.of(new Branch(FIRST, Lsn.INVALID, at(5, 0)), new Branch(SECOND, at(5, 0), null)));

        WalPath path = path(lineage, at(4, 0), segment(FIRST, 4), segment(FIRST, 5), segment(SECOND, 5));

        assertThat(objects(path)).containsExactly(segment(FIRST, 4), segment(SECOND, 5));
        assertThat(path(lineage, at(4, 0), segment(SECOND, 4), segment(SECOND, 5))
                        .steps())
                .isEmpty();
        assertThat(path(lineage, at(4, 0), segment(FIRST, 4), segment(FIRST, 5)).end())
                .isEqualTo(at(5, 0));
    }

    @Test
    void ends_inside_a_partial_whatever_comes_behind_it() {
        WalPath path = path(WalLineage.of(FIRST), at(4, 0), segment(FIRST, 4), partial(FIRST, 5, 8), segment(FIRST, 6));

        assertThat(path.end()).isEqualTo(at(5, 8));
        assertThat(path(WalLineage.of(FIRST), at(3, 0), segment(FIRST, 4)).end())
                .isEqualTo(Lsn.INVALID);
    }

    @Test
    void follows_the_old_timeline_to_its_own_end_when_that_is_wanted() {
        WalPath path =
                path(WalLineage.of(FIRST), at(5, 0), segment(FIRST, 5), partial(FIRST, 6, 8), segment(SECOND, 5));

        assertThat(objects(path)).containsExactly(segment(FIRST, 5), partial(FIRST, 6, 8));
    }

    @Test
    void takes_the_segments_of_both_ends_of_a_stretch() {
        WalPath path = path(
                WalLineage.of(FIRST),
                at(2, 0),
                segment(FIRST, 2),
                segment(FIRST, 3),
                segment(FIRST, 4),
                segment(FIRST, 5));

        assertThat(objects(path.between(at(3, 5), at(4, 0)))).containsExactly(segment(FIRST, 3), segment(FIRST, 4));
        assertThat(objects(path.between(at(3, 0), at(3, SIZE - 1)))).containsExactly(segment(FIRST, 3));
    }

    /** In the model a location counts if it is archived in a segment of a timeline that had not been left there. */
    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void goes_as_far_as_a_simple_model_does(Seed seed) {
        Random random = seed.random();
        for (int round = 0; round < Effort.of(1_000, 100_000); round++) {
            WalLineage lineage = lineage(random);
            Map<WalSegment, Long> archived = archived(random, lineage);
            Lsn from = at(random.nextInt(6), 8L * random.nextInt((int) SIZE / 8));

            WalPath path = WalPath.of(lineage, WalCoverage.of(objects(archived)), SIZE, from);

            assertThat(path.steps().isEmpty() ? new Lsn(from.position() & -SIZE) : path.end())
                    .as("from %s by %s through %s", from, lineage, archived)
                    .isEqualTo(end(lineage, archived, from));
            assertIsAWay(path, lineage, archived, from);
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void ends_from_many_places_on_where_each_way_ends(Seed seed) {
        Random random = seed.random();
        for (int round = 0; round < Effort.of(100, 10_000); round++) {
            WalLineage lineage = lineage(random);
            WalCoverage coverage = WalCoverage.of(objects(archived(random, lineage)));
            var ends = new WalEnds(lineage, coverage, SIZE);
            for (int place = 0; place < 10; place++) {
                Lsn from = at(random.nextInt(9), 8L * random.nextInt((int) SIZE / 8));

                List<WalPath.Step> steps =
                        WalPath.of(lineage, coverage, SIZE, from).steps();

                assertThat(ends.from(from))
                        .as("from %s by %s through %s", from, lineage, coverage)
                        .isEqualTo(steps.stream().reduce((one, next) -> next));
            }
        }
    }

    /** Sixteen places in each segment at which timelines begin and partials end. */
    private static final long UNIT = SIZE / 16;

    private static WalLineage lineage(Random random) {
        List<Branch> branches = new ArrayList<>();
        Lsn begin = Lsn.INVALID;
        int timeline = 1;
        for (int left = random.nextInt(4); left > 0; left--) {
            Lsn end = new Lsn(Math.max(begin.position(), UNIT * (16 + random.nextInt(80))));
            branches.add(new Branch(new Timeline(timeline), begin, end));
            begin = end;
            timeline += 1 + random.nextInt(2);
        }
        branches.add(new Branch(new Timeline(timeline), begin, null));
        return new WalLineage(branches);
    }

    /** Most segments of each timeline, of some a part only, and some that do not belong there at all. */
    private static Map<WalSegment, Long> archived(Random random, WalLineage lineage) {
        Map<WalSegment, Long> archived = new HashMap<>();
        for (int timeline = 1; timeline <= lineage.present().id() + 1; timeline++) {
            for (int number = 0; number < 8; number++) {
                if (random.nextInt(5) > 0) {
                    archived.put(
                            new WalSegment(new Timeline(timeline), number, SIZE),
                            random.nextInt(4) > 0 ? SIZE : UNIT * (1 + random.nextInt(15)));
                }
            }
        }
        return archived;
    }

    private static List<WalObject> objects(Map<WalSegment, Long> archived) {
        return archived.entrySet().stream()
                .<WalObject>map(one -> one.getValue() == SIZE
                        ? new WalObject.Segment(one.getKey())
                        : new WalObject.Partial(
                                one.getKey(), one.getKey().start().plus(one.getValue())))
                .toList();
    }

    private static Lsn end(WalLineage lineage, Map<WalSegment, Long> archived, Lsn from) {
        long position = from.position() & -SIZE;
        while (isThere(lineage, archived, new Lsn(position))) {
            position += UNIT;
        }
        return new Lsn(position);
    }

    private static boolean isThere(WalLineage lineage, Map<WalSegment, Long> archived, Lsn location) {
        return lineage.branches().stream().anyMatch(branch -> {
            WalSegment segment = WalSegment.at(branch.timeline(), location, SIZE);
            boolean wasLeft = branch.end() != null && !location.isBefore(branch.end());
            boolean hadBegun = branch.begin().isBefore(segment.end());
            return hadBegun && !wasLeft && location.minus(segment.start()) < archived.getOrDefault(segment, 0L);
        });
    }

    private static void assertIsAWay(WalPath path, WalLineage lineage, Map<WalSegment, Long> archived, Lsn from) {
        long number = Long.divideUnsigned(from.position(), SIZE);
        int branch = 0;
        for (WalPath.Step step : path.steps()) {
            assertThat(step.segment().number()).isEqualTo(number++);
            assertThat(objects(archived)).contains(step.object());
            while (!lineage.branches()
                    .get(branch)
                    .timeline()
                    .equals(step.segment().timeline())) {
                branch++;
            }
        }
    }
}
