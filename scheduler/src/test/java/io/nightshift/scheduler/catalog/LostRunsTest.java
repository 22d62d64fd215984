package io.nightshift.scheduler.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.ProofNote;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.ledger.PastRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LostRunsTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final BackupLabel FULL = new BackupLabel(NOON, BackupType.FULL, "aaaa");
    private static final BackupLabel NEXT = new BackupLabel(NOON.plusSeconds(3600), BackupType.INCREMENTAL, "bbbb");

    private Installation installation;
    private DirectoryStorage near;
    private DirectoryStorage far;

    @BeforeEach
    void open() {
        installation = Installation.embedded()
                .write("clusters/chanuka.yaml", """
                nodes: ["127.0.0.1:1"]
                username: nobody
                storages: {local: required}
                """)
                .write("jobs/nightly.yaml", "type: full-backup\ncluster: chanuka\n")
                .write("jobs/hourly.yaml", """
                type: incremental-backup
                cluster: chanuka
                """)
                .write("jobs/at-noon.yaml", "type: incremental-backup\ncluster: chanuka\n");
        near = storage("near");
        far = storage("far");
        StorageSet both = StorageSet.of(near, far);
        Backups.publish(both, FULL, null, NOON.plusSeconds(60), Lsn.parse("0/2000000"), Lsn.parse("0/2000100"));
        Backups.publish(both, NEXT, FULL, NOON.plusSeconds(3660), Lsn.parse("0/5000000"), Lsn.parse("0/5000100"));
    }

    private DirectoryStorage storage(String name) {
        var storage = new DirectoryStorage(name, installation.home().resolve(name));
        storage.prepare();
        return storage;
    }

    @AfterEach
    void close() {
        installation.close();
    }

    private List<PastRun> lost(Storage... storages) {
        return new LostRuns(installation.surroundings().configuration())
                .of(StoredPast.of(Backups.PATHS.cluster(), List.of(storages)));
    }

    private static ProofNote tested(long run, int minutes, int wrong) {
        return new ProofNote(
                ProofNote.FORMAT_VERSION,
                FULL,
                new RunId(run),
                NOON.plusSeconds(60L * minutes),
                1,
                30.0,
                null,
                null,
                null,
                null,
                7,
                9,
                0,
                0,
                true,
                List.of(),
                wrong,
                wrong == 0 ? List.of() : List.of("index votes_pkey lacks a row"));
    }

    private void gap(String from, String to) {
        new WalArchive(StorageSet.of(near), Backups.PATHS, 16 << 20)
                .record(new WalGap(new Timeline(1), Lsn.parse(from), Lsn.parse(to), "it was removed", NOON, false));
    }

    @Test
    void are_counted_with_the_one_job_of_their_type_and_with_the_type_where_there_are_several() {
        assertThat(lost(near))
                .extracting(PastRun::job, PastRun::jobType, PastRun::trace, PastRun::endedAt)
                .containsExactly(
                        tuple("nightly", "full-backup", FULL.toString(), NOON.plusSeconds(60)),
                        tuple("incremental-backup", "incremental-backup", NEXT.toString(), NOON.plusSeconds(3660)));
        assertThat(lost(near).get(1).report().summary()).startsWith("backup " + NEXT + " on " + FULL + ": ");
    }

    @Test
    void of_restore_tests_only_the_newest_says_how_things_stand() {
        tested(5, 1, 1).write(near, Backups.PATHS);
        tested(6, 2, 0).write(near, Backups.PATHS);
        tested(7, 3, 2).write(far, Backups.PATHS);

        List<PastRun> tests = lost(near, far).stream()
                .filter(run -> run.jobType().equals("restore-test"))
                .toList();

        assertThat(tests).extracting(PastRun::number).containsExactly(new RunId(5), new RunId(6), new RunId(7));
        assertThat(tests.get(0).startedAt()).isEqualTo(NOON.plusSeconds(30));
        assertThat(tests)
                .flatExtracting(run -> run.report().findings())
                .extracting(Finding::state)
                .containsExactly(Finding.State.RESOLVED, Finding.State.NEW);
        assertThat(tests).extracting(run -> run.report().exitStatus()).containsExactly(0, 0, 3);
    }

    @Test
    void a_gap_that_a_backup_begins_behind_is_resolved() {
        gap("0/3000000", "0/4000000");
        gap("0/6000000", "0/7000000");

        List<PastRun> gaps = lost(near).stream()
                .filter(run -> run.jobType().equals("wal-archive"))
                .toList();

        assertThat(gaps)
                .flatExtracting(run -> run.report().findings())
                .extracting(finding -> finding.key() + " " + finding.state())
                .containsExactly("wal/gap/1/0/3000000 RESOLVED", "wal/gap/1/0/6000000 NEW");
    }

    @Test
    void a_storage_that_is_away_hides_nothing_of_the_others_and_what_is_unreadable_is_named() throws IOException {
        Path document = installation.home().resolve("near").resolve(Backups.PATHS.object(FULL, "backup.json"));
        Files.writeString(document, "{}");
        var away = new DirectoryStorage("away", installation.home().resolve("away"));

        StoredPast past = StoredPast.of(Backups.PATHS.cluster(), List.of(away, near));

        assertThat(past.away()).containsOnlyKeys("away");
        assertThat(past.unreadable()).extracting(backup -> backup.label()).containsExactly(FULL);
        assertThat(lost(away, near)).extracting(PastRun::trace).containsExactly(NEXT.toString());
        assertThat(lost(away)).isEmpty();
    }
}
