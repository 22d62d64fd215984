package io.nightshift.infra.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Life;
import io.nightshift.infra.routing.NodeObservation.Receiver;
import io.nightshift.infra.routing.NodeObservation.Sessions;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What follows from what was seen. */
class ObservedClusterTest {

    private static final Instant NOW = Instant.parse("2026-11-27T01:00:00Z");
    private static final long MB = 1 << 20;
    private static final Lsn END = new Lsn(1_000 * MB);
    private static final SystemIdentifier OURS = new SystemIdentifier(7);
    private static final Intent NEAR = new Intent.Standby(DataSize.ofMegabytes(16));
    private static final Intent PREFERRED = new Intent.StandbyPreferred(DataSize.ofMegabytes(16));

    private static int idle(NodeAddress node) {
        return 0;
    }

    private static NodeAddress db(int number) {
        return new NodeAddress("db" + number, 5432);
    }

    private static Answered node(int number, int timeline, boolean standby, Lsn location, Receiver receiver) {
        return node(number, OURS, timeline, standby, location, receiver);
    }

    private static Answered node(
            int number, SystemIdentifier system, int timeline, boolean standby, Lsn location, Receiver receiver) {
        return new Answered(
                db(number),
                NOW,
                new PostgresVersion(180_006),
                system,
                new Life(standby, NOW, NOW),
                new Timeline(timeline),
                location,
                receiver,
                null,
                new Sessions(3, 100));
    }

    private static Answered primary(int number, int timeline) {
        return node(number, timeline, false, END, null);
    }

    private static Answered standby(int number, long megabytesBehind) {
        return node(
                number,
                1,
                true,
                new Lsn(END.position() - megabytesBehind * MB),
                new Receiver("streaming", Duration.ZERO));
    }

    private static Answered onTimeline(int timeline, Answered standby) {
        return new Answered(
                standby.node(),
                standby.at(),
                standby.version(),
                standby.system(),
                standby.life(),
                new Timeline(timeline),
                standby.location(),
                standby.receiver(),
                null,
                standby.sessions());
    }

    private static Unreachable away(int number) {
        return new Unreachable(
                db(number), NOW, new NightshiftException(FailureKind.POSTGRES_UNAVAILABLE, db(number) + " is away"));
    }

    private static ObservedCluster seen(NodeObservation... nodes) {
        return new ObservedCluster("chanuka", List.of(nodes), null, null);
    }

    private static NodeAddress chosen(ObservedCluster cluster, Intent intent) {
        return cluster.choose(intent, ObservedClusterTest::idle, new Random(1)).node();
    }

    private static Set<NodeAddress> everChosen(
            ObservedCluster cluster, Intent intent, ToIntFunction<NodeAddress> burden) {
        Random random = new Random(1);
        return IntStream.range(0, 200)
                .mapToObj(i -> cluster.choose(intent, burden, random).node())
                .collect(Collectors.toSet());
    }

    @Test
    void the_primary_is_the_one_node_that_is_not_in_recovery() {
        var cluster = seen(standby(1, 0), primary(2, 1), away(3));

        assertThat(chosen(cluster, Intent.PRIMARY)).isEqualTo(db(2));
        assertThat(cluster.conflict()).isEmpty();
    }

    @Test
    void standbys_beyond_the_limit_are_never_taken_and_all_others_are() {
        var cluster = seen(primary(1, 1), standby(2, 16), standby(3, 17), standby(4, 0));

        assertThat(everChosen(cluster, NEAR, ObservedClusterTest::idle)).containsExactlyInAnyOrder(db(2), db(4));
    }

    @Test
    void of_two_standbys_the_one_with_less_to_do_is_taken() {
        var cluster = seen(primary(1, 1), standby(2, 0), standby(3, 0), standby(4, 0));
        var burden = Map.of(db(2), 3, db(3), 0, db(4), 3);

        assertThat(everChosen(cluster, NEAR, burden::get)).contains(db(3));
        assertThat(everChosen(seen(primary(1, 1), standby(2, 0), standby(3, 0)), NEAR, burden::get))
                .containsExactly(db(3));
    }

    @Test
    void a_standby_that_must_have_replayed_something_has() {
        var behind = new Intent.Standby(DataSize.ofMegabytes(16), new Lsn(END.position() - MB));
        var cluster = seen(primary(1, 1), standby(2, 2), standby(3, 1));

        assertThat(everChosen(cluster, behind, ObservedClusterTest::idle)).containsExactly(db(3));
        assertThatThrownBy(() -> chosen(seen(primary(1, 1), standby(2, 2)), behind))
                .hasMessageContaining("has not replayed 0/3E700000");
    }

    @Test
    void without_a_primary_nobody_knows_how_far_a_standby_is_behind() {
        var cluster = seen(away(1), standby(2, 0));

        assertThat(cluster.lag(standby(2, 0))).isEmpty();
        assertThatThrownBy(() -> chosen(cluster, NEAR))
                .hasMessageContaining("how far behind is not known without the primary")
                .hasMessageContaining("db1:5432 is away");
    }

    @Test
    void a_standby_that_receives_nothing_is_not_taken_however_near_it_was() {
        var deaf = node(2, 1, true, END, null);

        assertThatThrownBy(() -> chosen(seen(primary(1, 1), deaf), NEAR))
                .hasMessageContaining("db2:5432 is a standby at 0/3E800000 without a running WAL receiver");
        assertThat(chosen(seen(primary(1, 1), deaf), new Intent.StandbyPreferred(DataSize.ofMegabytes(16))))
                .isEqualTo(db(1));
    }

    @Test
    void two_primaries_are_a_conflict_for_whoever_writes() {
        var cluster = seen(primary(1, 1), primary(2, 2), standby(3, 0));

        assertThat(cluster.primary()).isEmpty();
        for (Intent intent : List.of(Intent.PRIMARY, NEAR, PREFERRED)) {
            assertThatThrownBy(() -> chosen(cluster, intent))
                    .isInstanceOfSatisfying(
                            NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.REFUSED))
                    .hasMessage("cluster chanuka has 2 nodes that claim to be its primary: db1:5432 on timeline 1,"
                            + " db2:5432 on timeline 2");
        }
    }

    @Test
    void reads_go_on_in_a_conflict_on_standbys_of_the_newest_primary_within_their_lag() {
        var ofOld = standby(3, 0);
        var ofNew = onTimeline(2, standby(4, 1));
        var behind = onTimeline(2, standby(5, 17));
        var cluster = seen(primary(1, 1), primary(2, 2), ofOld, ofNew, behind);

        assertThat(everChosen(cluster, NEAR, ObservedClusterTest::idle)).containsExactly(db(4));
        assertThat(everChosen(cluster, PREFERRED, ObservedClusterTest::idle)).containsExactly(db(4));
        assertThat(cluster.conflict()).isPresent();
    }

    @Test
    void a_server_of_another_system_is_never_read() {
        var stranger = node(2, new SystemIdentifier(8), 1, true, END, new Receiver("streaming", Duration.ZERO));

        var known = new ObservedCluster(
                "chanuka", List.of(primary(1, 1), stranger, standby(3, 0)), new Lineage(OURS, new Timeline(1)), null);
        var unknown = seen(primary(1, 1), stranger, standby(3, 0));

        assertThat(everChosen(known, NEAR, ObservedClusterTest::idle)).containsExactly(db(3));
        assertThatThrownBy(() -> chosen(known, Intent.PRIMARY))
                .hasMessageContaining("have different system identifiers");
        assertThatThrownBy(() -> chosen(unknown, NEAR)).hasMessageContaining("have different system identifiers");
    }

    @Test
    void a_server_of_another_system_is_not_the_primary_while_ours_is_away() {
        var stranger = node(2, new SystemIdentifier(8), 1, false, END, null);
        var cluster =
                new ObservedCluster("chanuka", List.of(away(1), stranger), new Lineage(OURS, new Timeline(1)), null);

        assertThat(cluster.primary()).isEmpty();
        assertThatThrownBy(() -> chosen(cluster, Intent.PRIMARY))
                .hasMessage("cluster chanuka has another system identifier than before: db2:5432 has 8, but 7 was"
                        + " seen before");
    }

    @Test
    void a_conflict_that_is_not_over_keeps_writes_away_whatever_is_seen_now() {
        var standing = new Conflict("two primaries", "look", Set.of(db(1), db(2)));
        var cluster = new ObservedCluster("chanuka", List.of(primary(1, 1), away(2), standby(3, 0)), null, standing);

        assertThatThrownBy(() -> chosen(cluster, Intent.PRIMARY)).hasMessage("two primaries");
        assertThat(chosen(cluster, NEAR)).isEqualTo(db(3));
    }

    @Test
    void a_standby_of_a_newer_timeline_tells_that_a_primary_is_of_the_past() {
        var cluster = seen(primary(1, 1), away(2), onTimeline(2, standby(3, 0)));

        assertThat(cluster.primary()).isEmpty();
        assertThatThrownBy(() -> chosen(cluster, Intent.PRIMARY))
                .hasMessageContaining("db1:5432 of cluster chanuka claims to be its primary on timeline 1, but"
                        + " timeline 2 was seen before");
    }

    @Test
    void a_lag_on_another_timeline_is_unknown_unless_it_streams() {
        var stuck = node(2, 1, true, END, new Receiver("waiting", Duration.ZERO));
        var cluster = seen(primary(1, 2), stuck, standby(3, 0));

        assertThat(cluster.lag(stuck)).isEmpty();
        assertThat(cluster.lag(standby(3, 0))).contains(new DataSize(0));
        assertThatThrownBy(() -> chosen(seen(primary(1, 2), stuck), NEAR))
                .hasMessageContaining("how far behind is not known on timeline 1");
    }

    @Test
    void the_primary_takes_the_place_of_standbys_that_have_failed_too_often() {
        var left = Map.of(db(1), 0, db(2), ObservedCluster.LEFT_ALONE, db(3), 5);

        assertThat(everChosen(seen(primary(1, 1), standby(2, 0)), PREFERRED, left::get))
                .containsExactly(db(1));
        assertThat(everChosen(seen(primary(1, 1), standby(2, 0), standby(3, 0)), PREFERRED, left::get))
                .containsExactly(db(3));
        assertThat(everChosen(seen(primary(1, 1), standby(2, 0)), NEAR, left::get))
                .containsExactly(db(2));
    }

    @Test
    void a_node_that_was_chosen_is_fit_as_long_as_its_intent_might_choose_it() {
        var cluster = seen(primary(1, 1), standby(2, 0), standby(3, 17), away(4));

        assertThat(nodesFit(cluster, Intent.PRIMARY)).containsExactly(db(1));
        assertThat(nodesFit(cluster, NEAR)).containsExactly(db(2));
        assertThat(nodesFit(cluster, PREFERRED)).containsExactly(db(1), db(2));
        assertThat(nodesFit(seen(primary(1, 1), primary(2, 1)), Intent.PRIMARY)).isEmpty();
    }

    private static List<NodeAddress> nodesFit(ObservedCluster cluster, Intent intent) {
        return IntStream.rangeClosed(1, 4)
                .mapToObj(ObservedClusterTest::db)
                .filter(node -> cluster.isFit(intent, node))
                .toList();
    }

    @Test
    void every_refusal_is_an_exception_of_its_own() {
        var cluster = seen(away(1), away(2));

        assertThat(failure(cluster)).isNotSameAs(failure(cluster)).hasMessage("db1:5432 is away");
    }

    private static Throwable failure(ObservedCluster cluster) {
        return catchThrowable(() -> chosen(cluster, Intent.PRIMARY));
    }

    @Test
    void a_primary_of_a_past_timeline_is_none_although_it_is_the_only_one() {
        var cluster = new ObservedCluster(
                "chanuka", List.of(primary(1, 1), away(2)), new Lineage(OURS, new Timeline(2)), null);

        assertThat(cluster.primary()).isEmpty();
        assertThatThrownBy(() -> chosen(cluster, Intent.PRIMARY))
                .hasMessage(
                        "db1:5432 of cluster chanuka claims to be its primary on timeline 1, but timeline 2 was seen"
                                + " before");
    }

    @Test
    void a_pooler_is_told_whatever_else_is_there() {
        var pooler = new Unreachable(
                db(2), NOW, new NightshiftException(FailureKind.CONFIGURATION, "db2 is a pooler"), true);

        assertThatThrownBy(() -> chosen(seen(primary(1, 1), pooler), Intent.PRIMARY))
                .hasMessage("db2 is a pooler");
    }

    @Test
    void when_no_node_answers_the_first_reason_is_told() {
        assertThatThrownBy(() -> chosen(seen(away(1), away(2)), Intent.PRIMARY)).hasMessage("db1:5432 is away");
    }
}
