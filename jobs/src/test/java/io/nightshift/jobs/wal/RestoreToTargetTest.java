package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.RestoreTrial.commit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.wal.RestoreTrial.Committed;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A cluster whose transactions are all known, restored to targets of every kind; what comes back is compared row by row. */
class RestoreToTargetTest {

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void every_target_brings_back_what_was_committed_before_it_and_nothing_else(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of("track_commit_timestamp", "on"));
                ArchiveTrial archiving = new ArchiveTrial(cluster, major, ArchiveTrial.QUICK).begin();
                RestoreTrial trial = new RestoreTrial(cluster.postgres())) {
            TestPostgres postgres = cluster.postgres();
            postgres.execute("postgres", "CREATE TABLE note (id int)");
            List<Committed> done = new ArrayList<>(commit(postgres, 1, 3));
            RestoreTrial.backup(cluster);
            done.addAll(commit(postgres, 4, 8));
            postgres.execute(
                    "postgres", "SELECT pg_create_restore_point('before the mistake')", "SELECT pg_switch_wal()");
            done.addAll(commit(postgres, 9, 12));
            Instant quiet = now(postgres);
            postgres.execute("postgres", "SELECT pg_create_restore_point('quiet')", "SELECT pg_switch_wal()");
            archiving.awaitArchived(postgres, new Timeline(1));
            RestorableCluster source = RestoreTrial.source(cluster);
            long seed = new Random().nextLong();
            System.out.println("seed " + seed);
            Random random = new Random(seed);

            assertRestored(trial, source, new RestoreTarget.Latest(), 12);
            assertRestored(trial, source, new RestoreTarget.AtName("before the mistake"), 8);
            for (int round = 0; round < Effort.of(2, 40); round++) {
                Committed one = done.get(3 + random.nextInt(8));
                switch (round == 0 ? 0 : random.nextInt(4)) {
                    case 0 -> assertRestored(trial, source, new RestoreTarget.AtTime(one.at(), true), one.id());
                    case 1 -> assertRestored(trial, source, new RestoreTarget.AtTime(one.at(), false), one.id() - 1);
                    case 2 -> assertRestored(trial, source, new RestoreTarget.AtXid(one.xid(), false), one.id() - 1);
                    default -> assertRestored(trial, source, new RestoreTarget.AtLsn(one.behind(), true), one.id());
                }
            }
            assertRestored(trial, source, new RestoreTarget.Immediate(), 3);
            assertLeadsToTheEnd(source, new RestoreTarget.AtTime(quiet, true));
            assertRefused(source, new RestoreTarget.AtTime(done.get(0).at(), true), "is before the end of backup");
            assertRefused(
                    source,
                    new RestoreTarget.AtTime(Instant.parse("2100-01-01T00:00:00Z"), true),
                    "the archived WAL says what happened until ");
            assertRefused(source, new RestoreTarget.AtLsn(Lsn.parse("FF/0"), true), "the last archived record");
            assertRefused(source, new RestoreTarget.AtLsn(Lsn.parse("0/100"), true), "is before the end of backup");
            assertRefused(source, new RestoreTarget.AtXid(4_000_000_000L, true), "is not in the archived WAL");
            assertRefused(source, new RestoreTarget.AtName("no such"), "is not in the archived WAL");
        }
    }

    private static void assertRestored(RestoreTrial trial, RestorableCluster source, RestoreTarget target, int rows)
            throws Exception {
        RestorePlan plan = source.plan(null, target, new RestoreTimeline.Latest());

        assertThat(trial.restore(source, plan).complaints()).isEmpty();

        assertThat(trial.rows())
                .as(target + " by " + plan)
                .isEqualTo(IntStream.rangeClosed(1, rows).boxed().toList());
    }

    /** Behind the last transaction, but before what the WAL dates. */
    private static void assertLeadsToTheEnd(RestorableCluster source, RestoreTarget quiet) {
        RestorePlan latest = source.plan(null, new RestoreTarget.Latest(), new RestoreTimeline.Latest());

        RestorePlan plan = source.plan(null, quiet, new RestoreTimeline.Latest());

        assertThat(plan.recovery()).isEqualTo(latest.recovery());
        assertThat(plan.notes()).anyMatch(note -> note.startsWith("no transaction ended between " + latest.newest()));
    }

    private static Instant now(TestPostgres postgres) {
        String micros = postgres.text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
        return Instant.EPOCH.plus(Long.parseLong(micros), ChronoUnit.MICROS);
    }

    private static void assertRefused(RestorableCluster source, RestoreTarget target, String reason) {
        assertThatThrownBy(() -> source.plan(null, target, new RestoreTimeline.Latest()))
                .isInstanceOfSatisfying(NightshiftException.class, refusal -> {
                    assertThat(refusal.kind()).isEqualTo(FailureKind.REFUSED);
                    assertThat(refusal.hint()).startsWith("nearest: ");
                })
                .hasMessageContaining(reason);
    }
}
