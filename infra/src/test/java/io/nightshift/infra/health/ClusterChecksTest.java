package io.nightshift.infra.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Lineage;
import io.nightshift.infra.routing.NodeObservation;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Life;
import io.nightshift.infra.routing.NodeObservation.Sessions;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import io.nightshift.infra.routing.ObservedCluster;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is judged of the nodes together, without servers. */
class ClusterChecksTest {

    private static final Instant NOW = Instant.parse("2026-07-01T00:00:00Z");

    private static NodeAddress db(int number) {
        return new NodeAddress("db" + number, 5432);
    }

    private static Answered primary(int number, int timeline, String location) {
        return node(number, 7, false, timeline, location);
    }

    private static Answered standby(int number, int timeline, String location) {
        return node(number, 7, true, timeline, location);
    }

    private static Answered node(int number, long system, boolean inRecovery, int timeline, String location) {
        return new Answered(
                db(number),
                NOW,
                new PostgresVersion(180001),
                new SystemIdentifier(system),
                new Life(inRecovery, NOW, NOW),
                new Timeline(timeline),
                Lsn.parse(location),
                null,
                null,
                new Sessions(0, 97));
    }

    private static Unreachable down(int number) {
        return new Unreachable(
                db(number),
                NOW,
                new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE, "db" + number + " does not answer", "start it"));
    }

    private static ObservedCluster cluster(@Nullable Timeline newest, NodeObservation... nodes) {
        Lineage lineage = newest == null ? null : new Lineage(new SystemIdentifier(7), newest);
        return new ObservedCluster("chanuka", List.of(nodes), lineage, null);
    }

    private static Wrong only(ClusterCheck check, ObservedCluster cluster) {
        return (Wrong) check.judge(cluster).get(0);
    }

    @Test
    void a_primary_behind_its_standbys_timeline_is_the_one_that_goes() {
        var cluster = cluster(null, down(1), standby(2, 2, "0/5000000"), primary(3, 1, "0/6000000"));

        assertThat(new TimelineCheck().judge(cluster)).hasSize(1);
        Wrong found = only(new TimelineCheck(), cluster);
        assertThat(found.subject()).isEqualTo("db3:5432");
        assertThat(found.detail())
                .isEqualTo("claims to be the primary on timeline 1 at 0/6000000, but db2:5432 replays timeline 2 at"
                        + " 0/5000000: it is an old primary that came back");
        assertThat(found.remedy())
                .startsWith("shut it down at once: pg_ctl stop -m fast;")
                .contains("promote db2:5432: SELECT pg_promote()")
                .doesNotContain("--source-server");
    }

    @Test
    void a_standby_behind_the_primarys_timeline_is_rewound() {
        var cluster = cluster(null, primary(1, 2, "0/6000000"), standby(2, 1, "0/5000000"));

        Wrong found = only(new TimelineCheck(), cluster);

        assertThat(found.subject()).isEqualTo("db2:5432");
        assertThat(found.remedy()).contains("pg_rewind --source-server='host=db1 port=5432'");
    }

    @Test
    void any_conflict_is_told_with_its_own_reason() {
        var past = cluster(new Timeline(2), primary(1, 1, "0/5000000"));
        var foreign = cluster(null, primary(1, 1, "0/5000000"), node(2, 8, true, 1, "0/5000000"));
        var headless = cluster(null, node(1, 8, true, 1, "0/9000000"), standby(2, 1, "0/5000000"));
        var healthy = cluster(new Timeline(1), primary(1, 1, "0/5000000"), standby(2, 1, "0/5000000"));

        assertThat(only(new RolesCheck(), past).detail()).contains("on timeline 1, but timeline 2 was seen before");
        assertThat(only(new RolesCheck(), foreign).detail()).contains("have different system identifiers");
        assertThat(only(new RolesCheck(), headless).remedy()).doesNotContain("pg_promote");
        assertThat(new RolesCheck().judge(healthy)).isEmpty();
    }

    @Test
    void the_standby_of_the_newest_timeline_is_promoted_though_another_one_is_at_a_later_location() {
        var cluster = cluster(null, standby(1, 1, "0/9000000"), standby(2, 2, "0/5000000"));

        assertThat(only(new RolesCheck(), cluster).remedy()).contains("promote db2:5432");
    }
}
