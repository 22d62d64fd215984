package io.nightshift.jobs.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.FaultyStorage.Call;
import io.nightshift.infra.storage.Storage;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The job: what it says, what it deletes, and when it asks first. */
class RetentionJobTest {

    private static final RetentionJobType TYPE = new RetentionJobType();
    private static final Map<String, Object> WEEK = Map.of("window", "7d", "fulls", 1);

    private InventedCluster world;

    @BeforeEach
    void open() {
        world = new InventedCluster("far", "near");
    }

    @AfterEach
    void close() {
        world.close();
    }

    private List<BackupLabel> there() {
        return world.backups();
    }

    @Test
    void what_nothing_keeps_goes_from_every_storage_and_the_report_says_of_each_why() {
        BackupLabel older = world.full(20);
        BackupLabel opener = world.full(9);
        BackupLabel next = world.backup(8, BackupType.INCREMENTAL, opener);
        BackupLabel inside = world.full(2);
        world.lastNight();

        JobReport report =
                world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed().report();

        assertThat(there()).containsExactly(opener, next, inside);
        assertThat(world.cluster().files()).noneMatch(file -> file.contains(older.toString()));
        assertThat(report.summary())
                .startsWith("deleted 1 backup and 0 objects of WAL")
                .endsWith("kept 3 backups");
        assertThat(report.sections().toString())
                .contains(older + ", goes, no rule keeps it, since ", next + ", kept, the recovery window begins at")
                .contains(opener + ", kept, " + next + " builds on it");
    }

    @Test
    void what_nothing_keeps_any_more_is_left_for_a_night_so_that_who_reads_it_can_end() {
        BackupLabel older = world.full(20);
        world.full(9);
        world.archive(25, 0);

        JobReport first =
                world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed().report();
        JobReport second =
                world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed().report();

        assertThat(there()).contains(older);
        assertThat(world.objects())
                .contains("near:" + InventedCluster.segment(25), "near:" + InventedCluster.segment(10));
        assertThat(first.summary())
                .isEqualTo(
                        "deleted 0 backups and 0 objects of WAL, 0 B; kept 1 backup; 1 backup expires and is left for"
                                + " a night");
        assertThat(first.sections().toString())
                .contains(older + ", expires, no rule keeps it; deleted by a run after ");
        assertThat(second.summary()).isEqualTo(first.summary());
    }

    @Test
    void a_backup_that_is_pinned_in_the_night_before_it_goes_stays_with_all_its_storages() {
        BackupLabel older = world.full(20);
        world.full(9);
        world.lastNight();
        PinNote.pin(older, world.now(), "audit", world.now().plus(Duration.ofDays(1)))
                .write(world.storages().storages().get(1), Backups.PATHS);

        world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed();

        assertThat(world.cluster().backups().get(0).storages(StoredBackup.State.OK))
                .containsExactlyInAnyOrder("far", "near");
    }

    @Test
    void a_dry_run_says_the_same_and_touches_nothing() throws IOException {
        BackupLabel older = world.full(20);
        world.full(9);
        world.full(2);
        List<String> before = world.cluster().files();

        JobReport report = JobRun.dry(TYPE, world.cluster(), RecordBinder.fromMap(RetentionSettings.class, WEEK))
                .attempt()
                .completed()
                .report();

        assertThat(world.cluster().files()).isEqualTo(before);
        assertThat(report.summary())
                .startsWith(
                        "would delete 0 backups and 0 objects of WAL, 0 B, 1 backup expires and is left for a night;")
                .contains("nothing was deleted. A person would be asked first:", older.toString());
    }

    @Test
    void much_that_nobody_has_announced_waits_for_a_person_and_what_was_announced_does_not() {
        world.full(20);
        world.full(9);
        world.full(2);

        JobRun.Outcome asked = world.run(WEEK).attempt();

        assertThat(asked.failed().kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(asked.failed()).hasMessageContaining("nothing of cluster chanuka was deleted");
        assertThat(asked.failed().hint()).contains("--yes");
        assertThat(there()).hasSize(3);
    }

    @Test
    void a_pin_in_one_storage_keeps_a_backup_in_all() {
        BackupLabel older = world.full(20);
        world.full(9);
        world.full(2);
        Storage near = world.storages().storages().get(1);
        PinNote.pin(older, world.now(), "audit", world.now().plus(Duration.ofDays(1)))
                .write(near, Backups.PATHS);

        JobReport report =
                world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed().report();

        assertThat(there()).hasSize(3);
        assertThat(report.sections().toString()).contains("pinned until", ": audit");
        PinNote.unpin(older, world.now().plusSeconds(1), "done").write(near, Backups.PATHS);
        world.lastNight();
        world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed();
        assertThat(there()).hasSize(2);
    }

    @Test
    void a_storage_that_is_another_installations_or_away_ends_the_run_before_anything_is_deleted() throws IOException {
        world.full(20);
        world.full(9);
        world.full(2);
        Path marker = world.cluster().storage("near").resolve("installation.json");
        String ours = Files.readString(marker);
        Files.writeString(marker, ours.replace("test-installation", "somebody-else"));

        JobRun.Outcome foreign = world.run(InventedCluster.CONFIRMED_WEEK).attempt();
        Files.move(
                world.cluster().storage("near"), world.cluster().storage("near").resolveSibling("gone"));
        JobRun.Outcome away = world.run(InventedCluster.CONFIRMED_WEEK).attempt();

        assertThat(foreign.failed().kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(foreign.failed()).hasMessageContaining("somebody-else");
        assertThat(away.failed().kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE);
        Files.move(
                world.cluster().storage("near").resolveSibling("gone"),
                world.cluster().storage("near"));
        assertThat(there()).hasSize(3);
    }

    @Test
    void while_an_incremental_is_being_written_what_it_builds_on_stays_and_the_rest_goes() {
        BackupLabel older = world.full(20);
        BackupLabel parent = world.full(19);
        world.full(9);
        world.full(2);
        world.lastNight();
        Backups.begin(world.storages(), new BackupLabel(world.now(), BackupType.INCREMENTAL, "abcd"), parent);
        Backups.begin(world.storages(), new BackupLabel(world.now(), BackupType.FULL, "efgh"), null);

        JobReport report =
                world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed().report();

        assertThat(there()).contains(parent).doesNotContain(older);
        assertThat(report.sections().toString())
                .contains(parent + ", expires, no rule keeps it; the writer of ", "-abcd works with it");
    }

    @Test
    void a_full_storage_is_no_reason_to_keep_what_fills_it() {
        BackupLabel older = world.full(20);
        world.full(9);
        world.archive(25, 0);
        world.lastNight();
        TestCluster full = world.cluster()
                .behind(storage -> storage.name().equals("near")
                        ? new FaultyStorage(storage).failFrom(Call.COMMIT, 1, FailureKind.RESOURCES_EXHAUSTED)
                        : storage);

        JobRun.Outcome outcome =
                InventedCluster.run(full, InventedCluster.CONFIRMED_WEEK).attempt();

        assertThat(outcome.failed().kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED);
        assertThat(there()).doesNotContain(older);
        assertThat(world.objects()).doesNotContain("near:" + InventedCluster.segment(25));
    }

    @Test
    void a_backup_under_a_clock_that_was_ahead_asks_once() {
        world.full(9);
        world.full(-400);

        JobRun.Outcome asked = world.run(WEEK).attempt();
        world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed();
        JobRun.Outcome again = world.run(WEEK).attempt();

        assertThat(asked.failed()).hasMessageContaining("and the newest backup ended at");
        assertThat(again.failure()).isEmpty();
    }
}
