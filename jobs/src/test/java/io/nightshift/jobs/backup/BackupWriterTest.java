package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.ArchiveCompressor;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.WritingMarker;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.load.Brake;
import io.nightshift.infra.load.LoadLimits;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackupWriterTest {

    private static final Instant BEGAN = Instant.parse("2026-11-22T01:00:00Z");
    private static final BackupPaths PATHS =
            new BackupPaths("chanuka", 18, SystemIdentifier.parse("7711071849857489922"));

    @TempDir
    private Path temporary;

    private final MovedClock clock = new MovedClock();
    private DirectoryStorage storage;

    @BeforeEach
    void prepare() {
        storage = new DirectoryStorage("local", temporary);
        storage.prepare();
    }

    @Test
    void a_stream_of_more_than_a_day_never_looks_dead() {
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup backup = begin(compressor)) {
            BackupWriter writer = writer(backup);
            writer.archive("base.tar", "");

            for (int hour = 0; hour < 30; hour++) {
                clock.now = clock.now.plus(Duration.ofMinutes(61));
                writer.data(new byte[512], 0, 1);
            }

            assertThat(objects()).hasSize(31).contains("writing.json", "writing-20261123T073000Z.json");
        }
    }

    @Test
    void the_manifest_is_stored_as_it_came_in_pieces() throws Exception {
        byte[] manifest =
                "{ \"PostgreSQL-Backup-Manifest-Version\": 2, …".repeat(5000).getBytes(StandardCharsets.UTF_8);
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup backup = begin(compressor)) {
            BackupWriter writer = writer(backup);
            writer.archive("base.tar", "");
            writer.data(new byte[1024], 0, 1024);
            for (int at = 0; at < manifest.length; at += 1000) {
                writer.manifest(manifest, at, Math.min(1000, manifest.length - at));
            }

            WrittenBackup written =
                    writer.finish(new BackupEnd(Lsn.parse("0/3000000"), new Timeline(1), List.of(), false));

            assertThat(written.manifest().bytes()).isEqualTo(manifest.length);
            assertThat(written.manifest().sha256()).isEqualTo(ManifestChecksum.SHA256.hexOf(manifest));
            assertThat(storage.open(storage.list("")
                                    .map(object -> object.name())
                                    .filter(name -> name.endsWith("backup_manifest"))
                                    .findFirst()
                                    .orElseThrow())
                            .readAllBytes())
                    .isEqualTo(manifest);
            assertThat(written.archives()).hasSize(1);
            assertThat(writer.waits().server()).isPositive();
        }
    }

    private NewBackup begin(ArchiveCompressor compressor) {
        return NewBackup.begin(
                StorageSet.of(storage),
                PATHS,
                BackupLabel.parse("20261122T010000Z-full-r8f3"),
                new WritingMarker("night-1", new RunId(42), 7, BEGAN),
                compressor);
    }

    private BackupWriter writer(NewBackup backup) {
        var free = new Brake(LoadLimits.defaults(), List.of(), new Cancellation(), clock);
        var writer = new BackupWriter(
                backup,
                ManifestChecksum.CRC32C,
                false,
                null,
                new Progress(),
                free.pace(DataSize.ofMegabytes(1), new Progress()),
                clock);
        writer.started(new BackupStart(Lsn.parse("0/2000028"), new Timeline(1), List.of()));
        return writer;
    }

    private List<String> objects() {
        return storage.list("")
                .map(object -> object.name().substring(object.name().lastIndexOf('/') + 1))
                .toList();
    }

    private static final class MovedClock extends Clock {

        private Instant now = BEGAN;

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
