package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.server.TcpRelay;
import io.nightshift.infra.server.TcpRelay.Pump;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A real server, to which or from which something else comes than was said: nothing that it makes of this is ever a
 * backup that restores to other rows.
 */
class LyingServerTest {

    private static final IncrementalBackupJobType INCREMENTAL = new IncrementalBackupJobType();

    private static final int MAGIC = 0xD3AE1F0D;

    private static TestCluster cluster;

    @BeforeAll
    static void start() {
        cluster = TestCluster.start(18, Map.of("summarize_wal", "on", "autovacuum", "off"));
        cluster.postgres()
                .execute(
                        "postgres",
                        "CREATE TABLE t AS SELECT i, repeat('x', 500) AS filler FROM generate_series(1, 5000) i",
                        "VACUUM (FREEZE) t");
        IncrementalBackupTest.run(new FullBackupJobType(), cluster).attempt().completed();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Stock PostgreSQL loses rows of this table: it is cut short, and grows again. */
    @BeforeEach
    void cut() {
        cluster.postgres()
                .execute(
                        "postgres",
                        "DELETE FROM t WHERE ctid > '(10,0)'",
                        "VACUUM t",
                        "CHECKPOINT",
                        "INSERT INTO t SELECT i, repeat('y', 500) FROM generate_series(6001, 7000) i");
    }

    private static void assertNewestIs(BackupType type) throws Exception {
        assertThat(IncrementalBackupTest.newest(cluster).type()).isEqualTo(type);
        String rows = "SELECT count(*) || ' ' || sum(i) || ' ' || sum(hashtext(t::text)::bigint) FROM t";
        try (RestoredBackup restored = RestoredBackup.of(cluster, IncrementalBackupTest.newest(cluster))) {
            assertThat(restored.texts(rows)).isEqualTo(cluster.postgres().texts(rows));
        }
    }

    private static StoredBackup newest() {
        return cluster.backups().stream()
                .filter(backup -> backup.label().equals(IncrementalBackupTest.newest(cluster)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void a_server_that_was_shown_every_file_of_the_parent_is_found_out_and_gives_a_full_backup() throws Exception {
        JobRun.Outcome outcome = behind(showing(newest()));

        assertThat(outcome.completed().report().sections().toString())
                .contains("why it is a full backup", "holds changed blocks only, although");
        assertNewestIs(BackupType.FULL);
    }

    @Test
    void a_server_that_builds_on_another_backup_is_found_out_and_gives_a_full_backup() throws Exception {
        StoredBackup stale = newest();
        IncrementalBackupTest.run(INCREMENTAL, cluster).attempt().completed();

        JobRun.Outcome outcome = behind(showing(stale));

        assertThat(outcome.completed().report().sections().toString())
                .contains("why it is a full backup", "the server has built on another backup");
        assertNewestIs(BackupType.FULL);
    }

    @Test
    void a_file_of_changed_blocks_that_is_none_is_asked_for_once_more() throws Exception {
        AtomicBoolean spoiled = new AtomicBoolean();

        JobRun.Outcome outcome =
                behind(TcpRelay.altering(cluster.postgres().port(), InputStream::transferTo, spoilingAHeader(spoiled)));

        assertThat(spoiled).isTrue();
        assertThat(outcome.completed().report().sections().toString()).contains("is not a file of changed blocks");
        assertNewestIs(BackupType.INCREMENTAL);
    }

    @Test
    void changed_blocks_that_are_not_those_of_the_manifest_are_never_a_backup() {
        AtomicBoolean spoiled = new AtomicBoolean();
        int before = cluster.backups().size();

        JobRun.Outcome outcome =
                behind(TcpRelay.altering(cluster.postgres().port(), InputStream::transferTo, spoilingABlock(spoiled)));

        assertThat(spoiled).isTrue();
        assertThat(outcome.failed().kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(cluster.backups()).hasSize(before);
        cluster.awaitNoTraces();
    }

    private static JobRun.Outcome behind(TcpRelay network) {
        try (network) {
            return IncrementalBackupTest.run(INCREMENTAL, cluster.through(network.port()))
                    .attempt();
        }
    }

    /** Whatever manifest is uploaded, the server gets that of this backup. */
    private static TcpRelay showing(StoredBackup backup) throws IOException {
        ByteArrayOutputStream manifest = new ByteArrayOutputStream();
        BackupCopies.of(backup, cluster.clusterStorages().forReading(TestCluster.NAME))
                .manifest()
                .writeTo(manifest);
        return TcpRelay.altering(
                cluster.postgres().port(),
                (client, upstream) -> showing(manifest.toByteArray(), client, upstream),
                InputStream::transferTo);
    }

    private static void showing(byte[] manifest, InputStream client, OutputStream upstream) throws IOException {
        DataInputStream in = new DataInputStream(client);
        DataOutputStream out = new DataOutputStream(upstream);
        byte[] startup;
        do {
            startup = in.readNBytes(in.readInt() - Integer.BYTES);
            out.writeInt(startup.length + Integer.BYTES);
            out.write(startup);
        } while (asksForEncryption(startup));
        boolean uploads = false;
        for (int type = in.read(); type >= 0; type = in.read()) {
            byte[] body = in.readNBytes(in.readInt() - Integer.BYTES);
            uploads |= new String(body, StandardCharsets.US_ASCII).startsWith("UPLOAD_MANIFEST");
            if (uploads && type == 'd') {
                body = manifest;
                manifest = new byte[0]; // the rest of what the client sends is nothing
            }
            out.writeByte(type);
            out.writeInt(body.length + Integer.BYTES);
            out.write(body);
        }
    }

    private static boolean asksForEncryption(byte[] startup) {
        int code = ByteBuffer.wrap(startup).getInt();
        return code == 80877103 || code == 80877104;
    }

    /** Once, in a header: it announces another number of blocks than follow. */
    private static Pump spoilingAHeader(AtomicBoolean done) {
        return TcpRelay.messages((type, body) -> {
            int header = type == 'd' ? header(body) : -1;
            if (header >= 0 && !done.getAndSet(true)) {
                body[header + Integer.BYTES] ^= 1;
            }
            return body;
        });
    }

    /** Once, in the first block: servers send what belongs to the header alone. */
    private static Pump spoilingABlock(AtomicBoolean done) {
        AtomicBoolean blocksFollow = new AtomicBoolean();
        return TcpRelay.messages((type, body) -> {
            if (type == 'd' && blocksFollow.get() && !done.getAndSet(true)) {
                body[100] ^= 1;
            }
            blocksFollow.set(type == 'd' && header(body) >= 0);
            return body;
        });
    }

    /** Where in the message a file begins that holds changed blocks; -1 if none does. */
    private static int header(byte[] body) {
        ByteBuffer bytes = ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 1; at + 2 * Integer.BYTES <= body.length; at++) {
            if (bytes.getInt(at) == MAGIC && bytes.getInt(at + Integer.BYTES) > 0) {
                return at;
            }
        }
        return -1;
    }
}
