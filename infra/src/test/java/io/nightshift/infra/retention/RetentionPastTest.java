package io.nightshift.infra.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.retention.RetentionRecord.LaterWal;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.KeptWal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What earlier runs have said, and what follows from it. */
class RetentionPastTest {

    private static final Instant NOW = Instant.parse("2026-11-28T03:00:00Z");
    private static final BackupLabel BACKUP = BackupLabel.parse("20261101T010000Z-full-r8f3");
    private static final BackupPaths SYSTEM =
            new BackupPaths("chanuka", 18, SystemIdentifier.parse("7711071849857489922"));
    private static final Timeline ONE = new Timeline(1);
    private static final Lsn FROM = new Lsn(1_000);

    private static RetentionRecord record(int hoursAgo, Set<BackupLabel> expired, List<KeptWal> wal) {
        return new RetentionRecord(NOW.minus(Duration.ofHours(hoursAgo)), expired, Map.of(), wal, List.of());
    }

    private static RetentionRecord expiring(int hoursAgo) {
        return record(hoursAgo, Set.of(BACKUP), List.of());
    }

    private static RetentionRecord keeping(int hoursAgo) {
        return record(hoursAgo, Set.of(), List.of());
    }

    @Test
    void a_backup_is_deleted_when_all_runs_of_a_night_have_let_it_expire() {
        assertThat(RetentionPast.none().deletedFrom(BACKUP)).isEmpty();
        assertThat(new RetentionPast(List.of(expiring(30), expiring(3))).deletedFrom(BACKUP))
                .contains(NOW.minus(Duration.ofHours(10)));
        assertThat(new RetentionPast(List.of(expiring(30), keeping(4), expiring(3))).deletedFrom(BACKUP))
                .contains(NOW.plus(Duration.ofHours(17)));
        assertThat(new RetentionPast(List.of(expiring(30), keeping(4))).deletedFrom(BACKUP))
                .isEmpty();
    }

    @Test
    void wal_is_deleted_when_no_run_of_a_night_has_kept_it() {
        RetentionRecord all = record(30, Set.of(), List.of(new KeptWal(SYSTEM, Lsn.INVALID, List.of())));
        RetentionRecord some = record(22, Set.of(), List.of(new KeptWal(SYSTEM, FROM, List.of())));
        RetentionRecord again = record(2, Set.of(), List.of(new KeptWal(SYSTEM, FROM, List.of())));

        assertThat(kept(900, 1_000, all, some, again)).isFalse();
        assertThat(kept(900, 1_001, all, some, again)).isTrue();
        assertThat(kept(900, 1_000, all, again)).isTrue();
        assertThat(kept(900, 1_000, again)).isTrue();
        assertThat(kept(900, 1_000)).isTrue();
        assertThat(kept(900, 1_000, keeping(30))).isTrue(); // it has said nothing of WAL
    }

    private static boolean kept(long start, long end, RetentionRecord... records) {
        return new RetentionPast(List.of(records)).keptWithinANight(SYSTEM, ONE, new Lsn(start), new Lsn(end), NOW);
    }

    @Test
    void what_was_said_is_read_back_from_whichever_storage_has_it_and_only_old_words_go(@TempDir Path directory)
            throws IOException {
        Storage near = new DirectoryStorage("near", directory.resolve("near"));
        Storage far = new DirectoryStorage("far", directory.resolve("far"));
        for (Storage storage : List.of(near, far)) {
            Files.createDirectories(directory.resolve(storage.name()));
        }
        RetentionRecords both = new RetentionRecords("chanuka", List.of(near, far));
        RetentionRecord said = new RetentionRecord(
                NOW,
                Set.of(BACKUP),
                Map.of(BackupLabel.parse("20261102T010000Z-full-r8f3"), NOW.plus(Duration.ofDays(2))),
                List.of(
                        new KeptWal(SYSTEM, FROM, List.of(new WalRange(ONE, new Lsn(5), new Lsn(9)))),
                        new KeptWal(new BackupPaths("chanuka", 17, new SystemIdentifier(7)), null, List.of())),
                List.of(new LaterWal(SYSTEM, new Lsn(2_000), NOW.plus(Duration.ofDays(1)))));
        both.add(new RetentionRecord(NOW.plus(Duration.ofDays(400)), Set.of(), Map.of(), List.of(), List.of()));
        for (int hours = 40; hours > 0; hours--) {
            both.add(keeping(12 * hours));
        }
        both.add(said);
        new RetentionRecords("chanuka", List.of(far)).add(keeping(-1));
        Files.writeString(directory.resolve("near/chanuka/retention/20261128T040000Z.json"), "{}");

        List<RetentionRecord> past = both.past().records();

        assertThat(past).hasSize(20).contains(said).endsWith(keeping(-1));
        assertThat(past.get(0).at()).isEqualTo(NOW.minus(Duration.ofDays(9)));
        try (Stream<Path> files = Files.list(directory.resolve("near/chanuka/retention"))) {
            assertThat(files).hasSize(20);
        }
    }
}
