package io.nightshift.jobs.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The job: what it says, what it deletes, and when it asks first. */
class RetentionJobTest {

    private static final RetentionJobType TYPE = new RetentionJobType();
    private static final Map<String, Object> WEEK = Map.of("window", "7d", "fulls", 1);

    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private Path directory;
    private TestCluster cluster;
    private StorageSet storages;

    @BeforeEach
    void open() {
        directory = TestPostgres.temporaryDirectory("retention-");
        cluster = TestCluster.attach(new String[] {"1", "nobody", "none", directory.toString()})
                .withStorages("far", "near");
        storages = cluster.clusterStorages().forWriting(TestCluster.NAME);
    }

    @AfterEach
    void close() throws IOException {
        cluster.close();
        FileTree.delete(directory);
    }

    private BackupLabel full(int daysAgo) {
        return backup(daysAgo, BackupType.FULL, null);
    }

    private BackupLabel backup(int daysAgo, BackupType type, BackupLabel parent) {
        Instant ended = now.minus(Duration.ofDays(daysAgo));
        BackupLabel label = new BackupLabel(ended.minusSeconds(60), type, "r8f3");
        Lsn start = new Lsn((1_000L - daysAgo) << 20);
        Backups.publish(storages, label, parent, ended, start, start.plus(100));
        return label;
    }

    private List<BackupLabel> there() {
        return cluster.backups().stream().map(StoredBackup::label).toList();
    }

    private JobRun run(Map<String, Object> settings) {
        return JobRun.of(TYPE, cluster, RecordBinder.fromMap(RetentionSettings.class, settings));
    }

    private static Map<String, Object> confirmed() {
        return Map.of("window", "7d", "fulls", 1, "confirmed", true);
    }

    @Test
    void what_nothing_keeps_goes_from_every_storage_and_the_report_says_of_each_why() {
        BackupLabel older = full(20);
        BackupLabel opener = full(9);
        BackupLabel next = backup(8, BackupType.INCREMENTAL, opener);
        BackupLabel inside = full(2);

        JobReport report = run(confirmed()).attempt().completed().report();

        assertThat(there()).containsExactly(opener, next, inside);
        assertThat(cluster.files()).noneMatch(file -> file.contains(older.toString()));
        assertThat(report.summary())
                .startsWith("deleted 1 backups and 0 objects of WAL")
                .endsWith("3 backups are kept");
        assertThat(report.sections().toString())
                .contains(older + ", goes, no rule keeps it", next + ", kept, the recovery window begins at")
                .contains(opener + ", kept, " + next + " builds on it");
    }

    @Test
    void a_dry_run_says_the_same_and_touches_nothing() throws IOException {
        BackupLabel older = full(20);
        full(9);
        full(2);
        List<String> before = cluster.files();

        JobReport report = JobRun.dry(TYPE, cluster, RecordBinder.fromMap(RetentionSettings.class, WEEK))
                .attempt()
                .completed()
                .report();

        assertThat(cluster.files()).isEqualTo(before);
        assertThat(report.summary())
                .startsWith("would delete 1 backups and 0 objects of WAL")
                .contains("nothing was deleted. A person would be asked first:", older.toString());
    }

    @Test
    void much_that_nobody_has_announced_waits_for_a_person_and_what_was_announced_does_not() {
        full(20);
        full(9);
        full(2);

        JobRun.Outcome asked = run(WEEK).attempt();

        assertThat(asked.failed().kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(asked.failed()).hasMessageContaining("nothing of cluster chanuka was deleted");
        assertThat(asked.failed().hint()).contains("--yes");
        assertThat(there()).hasSize(3);
    }

    @Test
    void a_pin_in_one_storage_keeps_a_backup_in_all() {
        BackupLabel older = full(20);
        full(9);
        full(2);
        Storage near = storages.storages().get(1);
        PinNote.pin(older, now, "audit", now.plus(Duration.ofDays(1))).write(near, Backups.PATHS);

        JobReport report = run(confirmed()).attempt().completed().report();

        assertThat(there()).hasSize(3);
        assertThat(report.sections().toString()).contains("pinned until", ": audit");
        PinNote.unpin(older, now.plusSeconds(1), "done").write(near, Backups.PATHS);
        run(confirmed()).attempt().completed();
        assertThat(there()).hasSize(2);
    }

    @Test
    void a_storage_that_is_another_installations_or_away_ends_the_run_before_anything_is_deleted() throws IOException {
        full(20);
        full(9);
        full(2);
        Path marker = cluster.storage("near").resolve("installation.json");
        String ours = Files.readString(marker);
        Files.writeString(marker, ours.replace("test-installation", "somebody-else"));

        JobRun.Outcome foreign = run(confirmed()).attempt();
        Files.move(cluster.storage("near"), cluster.storage("near").resolveSibling("gone"));
        JobRun.Outcome away = run(confirmed()).attempt();

        assertThat(foreign.failed().kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(foreign.failed()).hasMessageContaining("somebody-else");
        assertThat(away.failed().kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE);
        Files.move(cluster.storage("near").resolveSibling("gone"), cluster.storage("near"));
        assertThat(there()).hasSize(3);
    }

    @Test
    void while_a_backup_is_being_written_nothing_of_its_system_goes() {
        BackupLabel older = full(20);
        full(9);
        full(2);
        Backups.begin(storages, new BackupLabel(now, BackupType.FULL, "abcd"));

        JobReport report = run(confirmed()).attempt().completed().report();

        assertThat(there()).contains(older);
        assertThat(report.sections().toString()).contains("the writer of", "works with it");
    }
}
