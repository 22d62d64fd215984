package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.retention.RetentionJobType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A cluster that goes on under its name as another system, as after pg_upgrade. */
class MajorUpgradeTest {

    @Test
    void after_it_the_first_backup_is_a_full_one_and_those_of_before_stay_by_their_own_rules() {
        try (TestCluster before = TestCluster.start(15, Map.of("autovacuum", "off"));
                TestPostgres upgraded = TestPostgres.start(18, Map.of("summarize_wal", "on"))) {
            String[] coordinates = before.coordinates();
            coordinates[0] = Integer.toString(upgraded.port());
            coordinates[1] = upgraded.username();
            coordinates[2] = upgraded.password();
            try (TestCluster after = TestCluster.attach(coordinates)) {
                take(new FullBackupJobType(), before);
                take(new IncrementalBackupJobType(), before);
                take(new IncrementalBackupJobType(), after);

                List<BackupDocument> backups = before.backups().stream()
                        .map(backup -> backup.document().orElseThrow())
                        .toList();
                JobReport kept = JobRun.dry(
                                new RetentionJobType(),
                                after,
                                RecordBinder.fromMap(new RetentionJobType().settings(), Map.of("fulls", 2)))
                        .attempt()
                        .completed()
                        .report();

                assertThat(backups).extracting(BackupDocument::major).containsExactly(15, 15, 18);
                assertThat(backups.get(1).parent()).isEqualTo(backups.get(0).label());
                assertThat(backups.get(2).parent()).isNull();
                assertThat(backups.get(2).label().type().needsParent()).isFalse();
                assertThat(kept.summary()).startsWith("would delete 0 backups");
                assertThat(kept.sections().toString())
                        .contains(
                                backups.get(1).label() + ", kept, in the recovery window; full chain 2 of the 2",
                                backups.get(2).label() + ", kept, in the recovery window; full chain 1 of the 2");
                assertThat(plan(after, null).document()).isEqualTo(backups.get(2));
                RestorePlan older = plan(after, after.backups().get(1));
                assertThat(older.document()).isEqualTo(backups.get(1));
                assertThat(older.chain().links()).hasSize(2);
            }
        }
    }

    private static void take(JobType type, TestCluster cluster) {
        IncrementalBackupTest.run(type, cluster).attempt().completed();
    }

    private static RestorePlan plan(TestCluster cluster, StoredBackup only) {
        return RestorableCluster.of(
                        TestCluster.NAME,
                        cluster.clusterStorages().forReading(TestCluster.NAME),
                        cluster.backups(),
                        only)
                .plan(only, new RestoreTarget.Latest(), new RestoreTimeline.Latest());
    }
}
