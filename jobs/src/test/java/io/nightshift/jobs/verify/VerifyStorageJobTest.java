package io.nightshift.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.backup.Verification;
import io.nightshift.infra.backup.VerificationNote;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.retention.RetentionRecord;
import io.nightshift.infra.retention.RetentionRecords;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.KeptWal;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The job: what it finds, what it repairs, and what it says of the rest. */
class VerifyStorageJobTest {

    private StoredCluster world;
    private StoredCluster.Chains chains;

    @BeforeEach
    void open() {
        world = new StoredCluster();
        chains = world.fill();
    }

    @AfterEach
    void close() {
        world.close();
    }

    private JobReport run(Map<String, Object> settings) {
        return world.run(settings).attempt().completed().report();
    }

    @Test
    void what_is_sound_is_read_and_nothing_is_said_against_it() {
        Map<String, String> before = world.content("near");

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.exitStatus()).as("%s", report).isZero();
        assertThat(report.findings()).isEmpty();
        assertThat(report.summary())
                .startsWith("read back 8 backups and 18 objects of WAL, ")
                .endsWith("nothing is damaged");
        assertThat(report.sections().toString())
                .contains("near, WAL, ", "100 %")
                .doesNotContain(", 0 %");
        assertThat(world.backups())
                .allMatch(backup -> backup.copies().values().stream()
                        .allMatch(copy -> copy.state() == State.OK && copy.verifiedAt() != null));
        assertThat(world.walNotes("near")).hasSize(1);
        assertThat(world.content("near")).isEqualTo(before);
    }

    @Test
    void what_is_damaged_or_lost_in_one_storage_comes_back_from_the_other_byte_for_byte() throws IOException {
        Map<String, String> before = world.content("near");
        world.damage("near", StoredCluster.object(chains.first(), "base.tar.zst"));
        world.damage("near", StoredCluster.object(chains.second(), "backup.json"));
        world.damage("far", StoredCluster.object(chains.last(), "backup_manifest"));
        world.damage("near", StoredCluster.wal(4));
        Files.delete(world.file("near", StoredCluster.object(chains.last(), "base.tar.zst")));
        Files.delete(world.file("near", StoredCluster.wal(6)));

        JobReport report = run(StoredCluster.ALL);

        assertThat(world.content("near")).isEqualTo(before);
        assertThat(world.content("far")).isEqualTo(before);
        assertThat(report.exitStatus()).as("%s", report).isZero();
        assertThat(report.findings())
                .allMatch(finding -> finding.severity() == Severity.WARNING)
                .extracting(Finding::key)
                .containsExactlyInAnyOrder(
                        "verify/repaired/near/" + folder(chains.first()),
                        "verify/repaired/near/" + folder(chains.second()),
                        "verify/repaired/near/" + folder(chains.last()),
                        "verify/repaired/far/" + folder(chains.last()),
                        "verify/repaired/near/" + StoredCluster.wal(4),
                        "verify/repaired/near/" + StoredCluster.wal(6));
        assertThat(report.summary()).contains("; repaired 6 objects; nothing is damaged");
        assertThat(world.backups())
                .allMatch(backup -> backup.copies().values().stream().allMatch(copy -> copy.state() == State.OK));
        assertThat(run(StoredCluster.ALL).findings()).isEmpty();
    }

    @Test
    void a_backup_that_is_damaged_everywhere_is_a_finding_with_what_can_still_be_restored() {
        for (String storage : List.of("near", "far")) {
            world.damage(storage, StoredCluster.object(chains.first(), "base.tar.zst"));
        }

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.exitStatus()).isEqualTo(3);
        assertThat(report.findings()).hasSize(2).allSatisfy(finding -> {
            assertThat(finding.severity()).isEqualTo(Severity.ERROR);
            assertThat(finding.detail())
                    .contains("no storage that answers has it whole, so it cannot be restored, nor can " + chains.next()
                            + ", which builds on it; cluster chanuka is restorable from " + world.ended(5) + " on only")
                    .endsWith("; not repaired: no other storage that answers has better bytes");
        });
        assertThat(run(Map.of()).findings())
                .as("not read again, and still there")
                .hasSize(2);
    }

    @Test
    void a_damaged_backup_costs_only_the_moments_to_which_no_older_one_leads() {
        for (String storage : List.of("near", "far")) {
            world.damage(storage, StoredCluster.object(chains.second(), "base.tar.zst"));
        }
        assertThat(run(StoredCluster.ALL).findings())
                .hasSize(2)
                .allSatisfy(
                        finding -> assertThat(finding.detail())
                                .contains(
                                        "so it cannot be restored; an older backup and the WAL behind it still lead to its time"));
        for (String storage : List.of("near", "far")) {
            world.damage(storage, StoredCluster.wal(6));
        }

        List<Finding> both = run(StoredCluster.ALL).findings();

        assertThat(both)
                .filteredOn(finding -> finding.subject().startsWith("backup"))
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.detail())
                        .contains("so it cannot be restored; no moment after ")
                        .contains(" can be reached until " + world.ended(2)));
    }

    @Test
    void wal_that_is_damaged_everywhere_is_a_finding_with_the_moments_that_are_lost() {
        for (String storage : List.of("near", "far")) {
            world.damage(storage, StoredCluster.wal(4));
            world.damage(storage, StoredCluster.wal(3));
        }

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.exitStatus()).isEqualTo(3);
        assertThat(report.findings())
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.detail())
                        .contains("(and 1 more, up to " + StoredCluster.lsn(2)
                                + "); no storage that answers has it whole: from the backup of " + world.ended(8)
                                + " on, moments after " + StoredCluster.lsn(4))
                        .contains("cannot be reached until " + world.ended(2) + ", when the next backup ended"));
        assertThat(run(Map.of()).findings())
                .as("not read again, and still there")
                .hasSize(2);
    }

    @Test
    void without_repair_it_is_reported_and_the_next_run_that_may_repairs_it_at_once() {
        Map<String, String> before = world.content("near");
        world.damage("near", StoredCluster.object(chains.first(), "base.tar.zst"));
        world.damage("near", StoredCluster.wal(4));

        JobReport reported = run(Map.of("every", "1d", "repair", false));
        JobReport repaired = run(Map.of());

        assertThat(reported.exitStatus()).isEqualTo(3);
        assertThat(reported.findings())
                .hasSize(2)
                .allSatisfy(finding ->
                        assertThat(finding.detail()).endsWith("has it whole; not repaired: repair is false"));
        assertThat(repaired.exitStatus()).as("%s", repaired).isZero();
        assertThat(world.content("near")).isEqualTo(before);
    }

    @Test
    void a_copy_whose_backup_json_says_something_else_is_no_source() throws IOException {
        world.publishAnother("far", chains.first());
        world.damage("near", StoredCluster.object(chains.first(), "base.tar.zst"));
        Map<String, String> before = world.content("near");

        JobReport report = run(StoredCluster.ALL);

        assertThat(world.content("near")).isEqualTo(before);
        assertThat(report.exitStatus()).isEqualTo(3);
        assertThat(report.findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail())
                        .endsWith("not repaired: the backup.json of storage far says something else"));
    }

    @Test
    void a_lost_backup_json_comes_back_unless_somebody_writes_or_deletes_the_backup() throws IOException {
        Map<String, String> before = world.content("near");
        List.of(chains.first(), chains.second(), chains.last())
                .forEach(label -> world.file("near", StoredCluster.object(label, "backup.json"))
                        .toFile()
                        .delete());
        world.age("near", chains.first());
        world.age("near", chains.second());
        Files.createDirectories(world.file("near", StoredCluster.object(chains.second(), "notes")));
        Files.createFile(world.file("near", StoredCluster.object(chains.second(), "notes/expired.json")));

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.findings())
                .extracting(Finding::key)
                .containsExactly("verify/repaired/near/" + folder(chains.first()));
        assertThat(world.content("near").get(StoredCluster.object(chains.first(), "backup.json")))
                .isEqualTo(before.get(StoredCluster.object(chains.first(), "backup.json")));
        for (BackupLabel left : List.of(chains.second(), chains.last())) {
            assertThat(world.file("near", StoredCluster.object(left, "backup.json")))
                    .doesNotExist();
        }
    }

    private static String folder(BackupLabel label) {
        return Backups.PATHS.backup(label);
    }

    @Test
    void a_whole_backup_that_is_gone_from_between_others_is_for_a_person_to_judge() throws IOException {
        FileTree.delete(world.file("near", folder(chains.second())));
        FileTree.delete(world.file("near", folder(chains.first())));

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.exitStatus()).as("%s", report).isZero();
        assertThat(report.findings()).singleElement().satisfies(finding -> {
            assertThat(finding.key()).isEqualTo("verify/near/" + folder(chains.second()));
            assertThat(finding.detail())
                    .isEqualTo("is not there, and older and newer ones are; storage far has it whole");
        });
        assertThat(world.file("near", folder(chains.second()))).doesNotExist();
    }

    @Test
    void what_cannot_be_read_twice_is_damaged_and_repaired_or_reported_like_all_damage() {
        String base = StoredCluster.object(chains.first(), "base.tar.zst");
        TestCluster bad = world.cluster()
                .behind(storage -> storage.name().equals("near")
                        ? new FaultyStorage(storage).badSector(base).badSector(StoredCluster.wal(4))
                        : new FaultyStorage(storage).badSector(StoredCluster.wal(4)));

        JobReport reported = StoredCluster.run(bad, Map.of("every", "1d", "repair", false))
                .attempt()
                .completed()
                .report();
        StoredBackup noted = world.backups().get(0);
        JobReport repaired =
                StoredCluster.run(bad, Map.of()).attempt().completed().report();

        assertThat(reported.exitStatus()).as("%s", reported).isEqualTo(3);
        assertThat(reported.notEvaluated()).isEmpty();
        assertThat(reported.findings())
                .hasSize(3)
                .allSatisfy(finding -> assertThat(finding.detail())
                        .contains("cannot be read: cannot read object ", "Input/output error"));
        assertThat(reported.findings())
                .filteredOn(finding -> finding.subject().startsWith("WAL"))
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.detail())
                        .contains("moments after " + StoredCluster.lsn(4), "cannot be reached until "));
        assertThat(noted.storages(State.DAMAGED)).containsExactly("near");
        assertThat(repaired.findings())
                .extracting(Finding::key)
                .containsExactlyInAnyOrder(
                        "verify/repaired/near/" + folder(chains.first()),
                        "verify/near/" + StoredCluster.wal(4),
                        "verify/far/" + StoredCluster.wal(4));
        assertThat(world.backups()).allMatch(backup -> backup.storages(State.OK).size() == 2);
    }

    @Test
    void what_retention_has_let_go_is_neither_missed_nor_brought_back() throws IOException {
        new RetentionRecords(TestCluster.NAME, world.storages())
                .add(new RetentionRecord(
                        world.ended(1),
                        Set.of(chains.second()),
                        Map.of(),
                        List.of(new KeptWal(Backups.PATHS, StoredCluster.lsn(5), List.of())),
                        List.of()));
        FileTree.delete(world.file("near", folder(chains.second())));
        Files.delete(world.file("near", StoredCluster.wal(6)));
        Files.delete(world.file("near", StoredCluster.wal(3)));

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.findings())
                .extracting(Finding::key)
                .containsExactly("verify/repaired/near/" + StoredCluster.wal(3));
        assertThat(world.file("near", StoredCluster.wal(6))).doesNotExist();
        assertThat(world.file("near", StoredCluster.wal(3))).exists();
    }

    @Test
    void damaged_block_digests_are_reported_unless_another_storage_has_them() {
        Backups.addDigests(world.storages(), chains.first());
        String digests = StoredCluster.object(chains.first(), "block_digests.zst");
        world.damage("near", digests);

        assertThat(run(StoredCluster.ALL).findings())
                .extracting(Finding::key)
                .containsExactly("verify/repaired/near/" + folder(chains.first()));
        world.damage("near", digests);
        world.damage("far", digests);
        JobReport both = run(StoredCluster.ALL);

        assertThat(both.exitStatus()).isEqualTo(3);
        assertThat(both.summary()).endsWith("; 2 damaged");
        assertThat(both.findings())
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.detail())
                        .contains("it can be restored, but no incremental backup can be built on it")
                        .endsWith("; not repaired: no other storage that answers has better bytes"));
        assertThat(world.backups()).allMatch(backup -> backup.storages(State.OK).size() == 2);
    }

    @Test
    void histories_that_differ_are_an_error_in_each_storage_and_neither_is_replaced() throws IOException {
        String history = Backups.PATHS.folder() + "/wal/00000002.history";
        Files.writeString(world.file("near", history), "1\t0/3E500000\tno reason\n");
        Files.writeString(world.file("far", history), "1\t0/3E600000\tno reason\n");
        Map<String, String> before = world.content("near");

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.exitStatus()).isEqualTo(3);
        assertThat(report.findings())
                .extracting(Finding::key)
                .containsExactlyInAnyOrder("verify/near/" + history, "verify/far/" + history);
        assertThat(report.findings().toString()).contains("in storage near", "in storage far");
        assertThat(world.content("near")).isEqualTo(before);
    }

    @Test
    void lost_wal_that_is_not_brought_back_is_one_finding_for_each_stretch() throws IOException {
        for (int daysAgo : List.of(6, 4, 3)) {
            Files.delete(world.file("near", StoredCluster.wal(daysAgo)));
        }

        JobReport report = run(Map.of("repair", false));

        assertThat(report.findings())
                .filteredOn(finding -> finding.severity() == Severity.ERROR)
                .extracting(Finding::detail)
                .containsExactly(
                        "is missing; another storage has it; not repaired: repair is false",
                        "is missing (and 1 more, up to " + StoredCluster.lsn(2)
                                + "); another storage has it; not repaired: repair is false");
    }

    @Test
    void wal_that_is_gone_everywhere_is_a_finding_unless_a_gap_is_on_record() throws IOException {
        Files.delete(world.file("far", StoredCluster.wal(4)));
        Files.delete(world.file("near", StoredCluster.wal(4)));

        String found = world.run(StoredCluster.ALL)
                .attempt()
                .completed()
                .report()
                .findings()
                .toString();
        new WalArchive(new StorageSet(world.storages()), Backups.PATHS, 1 << 20)
                .record(new WalGap(
                        new Timeline(1),
                        StoredCluster.lsn(4),
                        StoredCluster.lsn(3),
                        "it was removed",
                        Instant.now().truncatedTo(ChronoUnit.SECONDS),
                        true));
        JobReport known = world.run(StoredCluster.ALL).attempt().completed().report();

        assertThat(found)
                .contains("WAL from " + StoredCluster.lsn(4) + " to " + StoredCluster.lsn(3) + " of timeline 1")
                .contains("is gone, and what comes before and after it is there; no storage that answers has it whole");
        assertThat(known.findings()).isEmpty();
    }

    @Test
    void a_verdict_of_a_clock_that_was_ahead_is_taken_back() {
        Instant ahead = world.ended(-9);
        for (Storage storage : world.storages()) {
            VerificationNote.write(
                    storage, Backups.PATHS, new Verification(storage.name(), chains.first(), 1, 1, List.of()), ahead);
        }

        run(StoredCluster.ALL);

        assertThat(world.backups().get(0).copies().values())
                .hasSize(2)
                .allSatisfy(copy -> assertThat(copy.verifiedAt()).isBefore(ahead));
    }

    @Test
    void a_storage_that_is_away_is_not_evaluated_and_the_other_is_read() throws IOException {
        Path near = world.cluster().storage("near");
        Files.move(near, near.resolveSibling("gone"));

        JobReport report = run(StoredCluster.ALL);

        assertThat(report.exitStatus()).as("%s", report).isEqualTo(6);
        assertThat(report.notEvaluated())
                .singleElement()
                .satisfies(gap -> assertThat(gap.subject()).isEqualTo("storage near"));
        assertThat(report.hasLookedFor("verify/near/" + StoredCluster.wal(4))).isFalse();
        assertThat(report.summary()).startsWith("read back 4 backups and 9 objects of WAL, ");
        Files.move(world.cluster().storage("far"), near.resolveSibling("gone-too"));
        assertThat(world.run(StoredCluster.ALL).attempt().failed().kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE);
    }

    @Test
    void a_dry_run_says_what_it_would_read_and_touches_nothing() {
        List<String> before = world.cluster().files();

        JobReport report = world.dry(StoredCluster.ALL).attempt().completed().report();

        assertThat(report.summary())
                .startsWith("would read back 8 backups and 18 objects of WAL, ")
                .endsWith("nothing was read");
        assertThat(world.cluster().files()).isEqualTo(before);
    }

    @Test
    void a_run_that_is_stopped_keeps_what_it_has_read_and_its_restart_goes_on() {
        JobRun run = world.run(Map.of("every", "6d", "max-rate", "32kB"));

        var stopped = run.begin();
        while (notes().isEmpty() && !stopped.isDone()) {
            Thread.onSpinWait();
        }
        run.cancel("enough");

        assertThat(stopped.join().failed().kind()).isEqualTo(FailureKind.CANCELLED);
        List<String> before = notes();
        assertThat(before).hasSizeBetween(1, 5);
        run.attempt().completed();
        assertThat(notes())
                .as("three backups in two storages were due, and each was read once")
                .hasSize(6)
                .containsAll(before);
    }

    /** That backups were read back. */
    private List<String> notes() {
        return world.cluster().files().stream()
                .filter(file -> file.contains("/notes/"))
                .toList();
    }

    @Test
    void a_budget_leaves_the_rest_to_later_runs_and_says_what_is_late() {
        JobReport report = run(Map.of("every", "1d", "budget", "1kB"));

        assertThat(report.exitStatus()).isZero();
        assertThat(report.summary()).startsWith("read back 1 backup and 0 objects of WAL, ");
        assertThat(report.findings()).extracting(Finding::key).contains("verify/far/late/backups");
    }
}
