package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.SourceDamage;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.TablespaceInfo;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class WrittenBackupTest {

    @Test
    void a_damaged_page_is_named_by_file_and_block() {
        var damage = damageOf(
                "checksum verification failed in file \"./base/5/16384\", block 3: calculated 1A2B but expected 3C4D");

        assertThat(damage).containsExactly(new SourceDamage("base/5/16384", 3));
    }

    @Test
    void a_segment_of_a_large_table_keeps_its_number_and_a_block_may_be_large() {
        var damage = damageOf(
                "checksum verification failed in file \"./base/5/16384.7\", block 4294967294: calculated 1 but expected 2");

        assertThat(damage).containsExactly(new SourceDamage("base/5/16384.7", 4294967294L));
    }

    @Test
    void a_file_of_a_tablespace_is_named_as_the_manifest_names_it() {
        var damage = damageOf(
                "checksum verification failed in file \"/mnt/fast disk/PG_18_202506291/5/16390\", block 0: calculated 1 but expected 2",
                "checksum verification failed in file \"/mnt/faster/PG_18_202506291/5/16391\", block 1: calculated 1 but expected 2");

        assertThat(damage)
                .containsExactly(
                        new SourceDamage("pg_tblspc/16385/PG_18_202506291/5/16390", 0),
                        new SourceDamage("/mnt/faster/PG_18_202506291/5/16391", 1));
    }

    @Test
    void whatever_else_the_server_says_is_no_damaged_page() {
        var damage = damageOf(
                "further checksum verification failures in file \"./base/5/16384\" will not be reported",
                "file \"./base/5/16384\" has a total of 7 checksum verification failures",
                "could not verify checksum in file \"./base/5/16384\", read buffer size 100 and page size 8192 differ",
                "checksum verification failure during base backup");

        assertThat(damage).isEmpty();
    }

    private static List<SourceDamage> damageOf(String... messages) {
        var tablespaces = List.of(new TablespaceInfo(16385, "/mnt/fast disk", 1L), new TablespaceInfo(0, "", 1L));
        var start = new BackupStart(Lsn.parse("0/2000028"), new Timeline(1), tablespaces);
        var notices = Stream.of(messages)
                .map(message -> new ServerNotice("WARNING", "01000", message, null, null))
                .toList();
        var end = new BackupEnd(Lsn.parse("0/2000120"), new Timeline(1), notices, true);
        return new WrittenBackup(start, end, List.of(), new BackupDocument.Manifest("backup_manifest", 1, "00"))
                .sourceDamage();
    }
}
