package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.ArchiveCompressor;
import io.nightshift.infra.backup.ArchiveMember;
import io.nightshift.infra.backup.ArchiveReader;
import io.nightshift.infra.backup.ArchiveWriter;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.Damage;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.WritingMarker;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The WAL and the control file of real servers, stored again with one thing changed, so that every checksum of ours is right. */
class VerifiedWalTest {

    private static final int PAGE = 8192;

    /** Each with a backup that is only read. */
    private static final Map<Integer, TestCluster> CLUSTERS = new HashMap<>();

    private static int stored;

    private Storage storage;
    private BackupDocument document;
    private byte[] base;
    private List<ArchiveMember> segments;
    private ArchiveMember control;

    @AfterAll
    static void stop() {
        CLUSTERS.values().forEach(TestCluster::close);
    }

    @ParameterizedTest
    @ValueSource(ints = {15, 18})
    void foreign_missing_and_empty_wal_is_found_in_a_real_backup(int major) throws IOException {
        readBackup(major);
        ArchiveMember last = segments.get(segments.size() - 1);
        String name = last.path();
        long segmentSize = last.size();
        long end = document.endLsn().position();
        long lastPage = (end - 1) % segmentSize / PAGE * PAGE;

        assertThat(damages(tar -> tar)).isEmpty();
        assertThat(damages(tar -> without(tar, last)))
                .containsExactly(name + ": is missing; a restore needs the WAL from " + document.startLsn() + " to "
                        + document.endLsn() + " of timeline 1");
        assertThat(damages(tar -> set(tar, at(last, 24), 42L)))
                .singleElement()
                .asString()
                .startsWith(name + ": holds WAL of the system identifier ");
        assertThat(damages(tar -> set(tar, at(last, 8), 0x1234_0000_0000L)))
                .containsExactly(name + ": holds the WAL of 1234/0 at byte 0, where "
                        + document.endLsn().plus(-(end % segmentSize)) + " belongs");
        assertThat(damages(tar -> fill(tar, at(last, lastPage), at(last, lastPage + 24))))
                .hasSize(1);
        assertThat(damages(tar -> set(tar, at(last, 0), 0)))
                .containsExactly(name + ": does not begin with the header of a WAL segment");
        assertThat(damages(tar -> fill(tar, at(last, lastPage + PAGE), at(last, segmentSize))))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {15, 18})
    void a_control_file_whose_own_crc_is_wrong_is_found_beside_other_damage(int major) throws IOException {
        readBackup(major);

        List<String> damages = damages(tar -> {
            tar[at(control, 40)] ^= 1;
            return withoutAll(tar, segments);
        });

        assertThat(damages)
                .contains("global/pg_control: does not match its own CRC")
                .anyMatch(damage -> damage.startsWith("global/pg_control: has the CRC32C "))
                .anyMatch(damage -> damage.startsWith(": holds no WAL; a restore needs the WAL from "));
    }

    private static TestCluster backedUp(int major) {
        TestCluster cluster = TestCluster.start(major, Map.of());
        BackupSettings quick = RecordBinder.fromMap(
                BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 2, "checkpoint", "fast"));
        JobRun.of(new FullBackupJobType(), cluster, quick).attempt().completed();
        return cluster;
    }

    private void readBackup(int major) throws IOException {
        TestCluster cluster = CLUSTERS.computeIfAbsent(major, VerifiedWalTest::backedUp);
        storage = cluster.clusterStorages().forReading(TestCluster.NAME).get(0);
        document = cluster.backups().get(0).document().orElseThrow();
        ArchiveReader reader = ArchiveReader.open(storage, document.paths().object(document.label(), "base.tar.zst"));
        try (InputStream tar = reader.tar()) {
            base = tar.readAllBytes();
        }
        segments = StreamSupport.stream(reader.index().orElseThrow().members().spliterator(), false)
                .filter(member -> member.path().matches("pg_wal/[0-9A-F]{24}"))
                .toList();
        control = reader.find("global/pg_control").orElseThrow();
    }

    private static int at(ArchiveMember member, long offset) {
        return Math.toIntExact(member.contentOffset() + offset);
    }

    private static byte[] set(byte[] tar, int at, long value) {
        ByteBuffer.wrap(tar).order(ByteOrder.LITTLE_ENDIAN).putLong(at, value);
        return tar;
    }

    private static byte[] fill(byte[] tar, int from, int to) {
        Arrays.fill(tar, from, to, (byte) 7);
        return tar;
    }

    /** From the last to the first, so that the places of the others stay. */
    private static byte[] withoutAll(byte[] tar, List<ArchiveMember> members) {
        byte[] shorter = tar;
        for (int last = members.size() - 1; last >= 0; last--) {
            shorter = without(shorter, members.get(last));
        }
        return shorter;
    }

    private static byte[] without(byte[] tar, ArchiveMember member) {
        int from = Math.toIntExact(member.headerOffset());
        int to = Math.toIntExact(member.endOffset());
        byte[] shorter = Arrays.copyOf(tar, tar.length - (to - from));
        System.arraycopy(tar, to, shorter, from, tar.length - to);
        return shorter;
    }

    /** Path and what is wrong of each damage of the same backup with this change. */
    private List<String> damages(UnaryOperator<byte[]> change) {
        byte[] tar = change.apply(base.clone());
        BackupLabel label = BackupLabel.parse(String.format("20261122T0100%02dZ-full-aaaa", stored++));
        StorageSet storages = StorageSet.of(storage);
        var marker = new WritingMarker("night-1", document.run(), 1, document.startedAt());
        try (var compressor = new ArchiveCompressor(1, 2);
                NewBackup backup = NewBackup.begin(storages, document.paths(), label, marker, compressor);
                ArchiveWriter writer = backup.archive("base.tar", "", ManifestChecksum.CRC32C)) {
            writer.write(tar, 0, tar.length);
            BackupDocument.Archive archive = BackupDocument.Archive.of(writer.finish());
            BackupDocument changed = changed(label, archive, backup.manifest(manifest()));
            return new BackupVerifier(2)
                    .verify(storage, changed, new Progress(), new Cancellation()).damages().stream()
                            .map(VerifiedWalTest::text)
                            .toList();
        }
    }

    private static String text(Damage damage) {
        return damage.path() + ": " + damage.what();
    }

    private byte[] manifest() {
        try (InputStream manifest = storage.open(
                document.paths().object(document.label(), document.manifest().object()))) {
            return manifest.readAllBytes();
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private BackupDocument changed(
            BackupLabel label, BackupDocument.Archive archive, BackupDocument.Manifest manifest) {
        return new BackupDocument(
                document.formatVersion(),
                label,
                document.cluster(),
                document.type(),
                document.parent(),
                document.systemIdentifier(),
                document.major(),
                document.timeline(),
                document.startLsn(),
                document.endLsn(),
                document.wal(),
                List.of(archive),
                manifest,
                document.digests(),
                document.bytes(),
                document.storedBytes(),
                document.startedAt(),
                document.endedAt(),
                document.method(),
                document.source(),
                document.labels(),
                document.run(),
                document.node(),
                document.toolVersion());
    }
}
