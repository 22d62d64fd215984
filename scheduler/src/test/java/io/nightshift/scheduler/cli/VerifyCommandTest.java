package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.ArchiveCompressor;
import io.nightshift.infra.backup.ArchiveWriter;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.TestTar;
import io.nightshift.infra.backup.WritingMarker;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.TestManifest;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A backup in two storages, verified as an operator does it; nothing else is there, no server and no control database. */
class VerifyCommandTest {

    private static final Instant NOW = Instant.parse("2026-11-22T01:00:00Z");
    private static final BackupPaths PATHS =
            new BackupPaths("stage", 18, SystemIdentifier.parse("7711071849857489922"));
    private static final BackupLabel LABEL = BackupLabel.parse("20261122T010000Z-full-r8f3");

    private record Answer(int exitStatus, String out, String err) {

        JsonNode json() {
            return JsonMapper.shared().readTree(out);
        }
    }

    @TempDir
    private Path temporary;

    @BeforeEach
    void prepare() throws IOException {
        write("clusters/stage.yaml", """
                nodes: ["127.0.0.1:1"]
                username: nobody
                storages: {near: required, far: required}
                """);
        for (String storage : List.of("near", "far")) {
            write("storages/" + storage + ".yaml", "type: directory\npath: " + temporary.resolve(storage) + "\n");
        }
        backup(null);
    }

    @Test
    void says_that_all_is_well_and_when_it_was_read() {
        Answer text = nightshift("verify", LABEL.toString());
        Answer json = nightshift("verify", LABEL.toString(), "--output", "json");
        JsonNode listed = nightshift("backups", "--output", "json").json();

        assertThat(text.exitStatus()).as(text.toString()).isZero();
        assertThat(text.out())
                .contains("storage near: ok, ", "storage far: ok, ", " read back, 1 files equal to the manifest")
                .doesNotContain("HINT");
        assertThat(json.json().at("/storages/0/state").asString()).isEqualTo("ok");
        assertThat(json.json().at("/remedy").asString()).isEmpty();
        assertThat(listed.at("/backups/0/storages/0/state").asString()).isEqualTo("ok");
        assertThat(listed.at("/backups/0/storages/0/verifiedAt").asString()).matches("20[0-9T:-]+Z");
    }

    @Test
    void names_the_damaged_copy_and_the_good_one_and_remembers_until_it_is_sound_again() throws IOException {
        Path archive = temporary.resolve("near").resolve(PATHS.object(LABEL, "base.tar.zst"));
        byte[] sound = Files.readAllBytes(archive);
        byte[] damaged = sound.clone();
        damaged[30] ^= 1;
        Files.write(archive, damaged);

        Answer found = nightshift("verify", LABEL.toString());
        Answer listed = nightshift("backups");
        Files.write(archive, sound);
        awaitNextSecond();
        Answer again = nightshift("verify", LABEL.toString());

        assertThat(found.exitStatus()).as(found.toString()).isEqualTo(3);
        assertThat(found.out())
                .contains("storage near: damaged", "storage far: ok", "base.tar.zst bytes 0 to ", "file base/5/1000")
                .contains("HINT: restore from storage far, whose copy is sound; look after the disk of storage near");
        assertThat(listed.out())
                .contains("near damaged", "far ok", LABEL + " is damaged in storage near: read back at ");
        assertThat(again.exitStatus()).as(again.toString()).isZero();
        assertThat(nightshift("backups").out()).contains("near ok").doesNotContain("damaged");
    }

    @Test
    void a_pin_lies_beside_the_backup_in_every_storage_until_it_is_taken_back() throws IOException {
        Answer pinned = nightshift("pin", LABEL.toString(), "--for", "90d", "--reason", "audit 2026");
        Answer listed = nightshift("backups");
        Answer removed = nightshift("pin", LABEL.toString(), "--remove", "--reason", "audit is over");

        assertThat(pinned.exitStatus()).as(pinned.toString()).isZero();
        assertThat(pinned.out())
                .matches("backup " + LABEL
                        + " is kept until 20[0-9T:-]+Z: audit 2026 \\(noted in storage near and far\\)\\R");
        assertThat(listed.out()).contains(LABEL + " is pinned until 20", "Z: audit 2026");
        assertThat(removed.out()).contains("is pinned no longer: audit is over");
        assertThat(nightshift("backups").out()).doesNotContain("pinned");
    }

    @Test
    void a_pin_counts_more_than_what_was_said_by_a_clock_that_was_ahead() {
        PinNote.unpin(LABEL, Instant.now().plus(Duration.ofDays(400)).truncatedTo(ChronoUnit.SECONDS), "over")
                .write(new DirectoryStorage("near", temporary.resolve("near")), PATHS);

        nightshift("pin", LABEL.toString(), "--for", "90d", "--reason", "audit 2026");

        assertThat(nightshift("backups").out()).contains(LABEL + " is pinned until 20", "Z: audit 2026");
        nightshift("pin", LABEL.toString(), "--remove", "--reason", "audit is over");
        assertThat(nightshift("backups").out()).doesNotContain("pinned");
    }

    @Test
    void who_pins_a_backup_that_is_being_deleted_is_told() throws IOException {
        Path mark = temporary.resolve("near").resolve(PATHS.object(LABEL, "notes/expired.json"));
        Files.createDirectories(mark.getParent());
        Files.writeString(mark, "{}");

        Answer answer = nightshift("pin", LABEL.toString(), "--for", "90d", "--reason", "audit 2026");

        assertThat(answer.exitStatus()).as(answer.toString()).isEqualTo(5);
        assertThat(answer.err())
                .contains(
                        "backup " + LABEL + " is being deleted from storage near", "HINT: retention has let it expire");
        assertThat(answer.out()).contains("(noted in storage far)");
    }

    @Test
    void a_pin_without_a_reason_or_an_end_or_for_no_backup_is_refused() {
        List<List<String>> wrong = List.of(
                List.of(LABEL.toString(), "--for", "90d"),
                List.of(LABEL.toString(), "--reason", "why"),
                List.of(LABEL.toString(), "--reason", "why", "--for", "1d", "--remove"),
                List.of(LABEL.toString(), "--reason", "why", "--until", "2020-01-01T00:00:00Z"),
                List.of("20251122T010000Z-full-r8f3", "--reason", "why", "--for", "1d"));

        for (List<String> arguments : wrong) {
            List<String> words = new ArrayList<>(List.of("pin"));
            words.addAll(arguments);
            Answer answer = nightshift(words.toArray(String[]::new));
            assertThat(answer.exitStatus()).as(answer.toString()).isEqualTo(2);
            assertThat(answer.err()).contains("HINT:");
        }
    }

    @Test
    void uses_the_other_storages_document_and_finds_a_folder_that_is_no_backup_any_more() throws IOException {
        Files.delete(temporary.resolve("near").resolve(PATHS.object(LABEL, "backup.json")));
        Answer one = nightshift("verify", LABEL.toString());
        Files.delete(temporary.resolve("far").resolve(PATHS.object(LABEL, "backup.json")));

        Answer none = nightshift("verify", LABEL.toString());

        assertThat(one.exitStatus()).as(one.toString()).isEqualTo(3);
        assertThat(one.out())
                .contains(
                        "backup.json: is missing in storage near; the rest is compared with the backup.json of storage far");
        assertThat(none.exitStatus()).as(none.toString()).isEqualTo(3);
        assertThat(none.out())
                .contains(
                        "storage near: not a backup, no storage has its backup.json",
                        "1 files equal to the manifest",
                        "compared with the manifest alone",
                        "HINT: it is still being written, or its writer died");
    }

    @Test
    void goes_on_when_one_storage_does_not_answer() throws IOException {
        FileSystemUtils.deleteRecursively(temporary.resolve("near"));

        Answer text = nightshift("verify", LABEL.toString());
        JsonNode json =
                nightshift("verify", LABEL.toString(), "--output", "json").json();

        assertThat(text.exitStatus()).as(text.toString()).isEqualTo(5);
        assertThat(text.out())
                .contains("storage near: unknown", "storage far: ok", "HINT: see why storage near does not answer");
        assertThat(json.at("/storages").size()).isEqualTo(2);
        FileSystemUtils.deleteRecursively(temporary.resolve("far"));
        assertThat(nightshift("verify", LABEL.toString()).exitStatus()).isEqualTo(5);
    }

    @Test
    void shows_its_verdict_where_it_cannot_be_kept() throws IOException {
        for (String storage : List.of("near", "far")) {
            Files.writeString(temporary.resolve(storage).resolve(PATHS.object(LABEL, "notes")), "a file in the way");
        }

        Answer text = nightshift("verify", LABEL.toString());

        assertThat(text.out()).contains("storage near: damaged", "notes", "is no part of this backup");
        assertThat(text.err()).contains("the verdict is not kept in storage near");
        assertThat(text.exitStatus()).isEqualTo(3);
    }

    @Test
    void lost_block_digests_are_said_and_take_nothing_from_the_backup() throws IOException {
        for (String storage : List.of("near", "far")) {
            FileSystemUtils.deleteRecursively(temporary.resolve(storage));
        }
        backup(new BackupDocument.Digests("block_digests.zst", 100, "00"));

        Answer text = nightshift("verify", LABEL.toString());
        JsonNode json =
                nightshift("verify", LABEL.toString(), "--output", "json").json();

        assertThat(text.exitStatus()).as(text.toString()).isZero();
        assertThat(text.out())
                .contains(
                        "storage near: ok, ",
                        "block_digests.zst: is missing in storage near: it can be restored, but not built on from there")
                .doesNotContain("HINT");
        assertThat(json.at("/storages/0/remarks").size()).isEqualTo(1);
        assertThat(nightshift("backups").out()).contains("near ok", "far ok");
    }

    @Test
    void knows_no_backup_that_is_nowhere() {
        Answer answer = nightshift("verify", "20261122T010000Z-full-0000");

        assertThat(answer.exitStatus()).isEqualTo(2);
        assertThat(answer.err()).contains("there is no backup 20261122T010000Z-full-0000", "HINT");
    }

    /** Notes are named by the second. */
    private void awaitNextSecond() throws IOException {
        Path notes = temporary.resolve("near").resolve(PATHS.object(LABEL, "notes"));
        try (Stream<Path> files = Files.list(notes)) {
            for (Path note : files.toList()) {
                String name = note.getFileName().toString();
                Files.move(note, note.resolveSibling("20261122T020000Z" + name.substring(name.indexOf('-'))));
            }
        }
    }

    private Answer nightshift(String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "--home",
                temporary.resolve("home").toString(),
                "--config",
                temporary.resolve("config").toString()));
        all.addAll(List.of(arguments));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = CommandLineOfNightshift.run(
                all.toArray(String[]::new), new PrintWriter(out, true), new PrintWriter(err, true), Map.of());
        return new Answer(status, out.toString(), err.toString());
    }

    private void write(String file, String text) throws IOException {
        Path target = temporary.resolve("config").resolve(file);
        Files.createDirectories(target.getParent());
        Files.writeString(target, text);
    }

    private void backup(BackupDocument.Digests digests) {
        var near = new DirectoryStorage("near", temporary.resolve("near"));
        var far = new DirectoryStorage("far", temporary.resolve("far"));
        near.prepare();
        far.prepare();
        StorageSet storages = StorageSet.of(near, far);
        byte[] content = new byte[8192];
        byte[] tar = new TestTar().file("base/5/1000", content).end();
        byte[] manifest = new TestManifest(PATHS.systemIdentifier().toString())
                .file("base/5/1000".getBytes(StandardCharsets.UTF_8), content, ManifestChecksum.CRC32C)
                .bytes();
        var marker = new WritingMarker("night-1", new RunId(42), 7, NOW);
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup backup = NewBackup.begin(storages, PATHS, LABEL, marker, compressor);
                ArchiveWriter writer = backup.archive("base.tar", "", ManifestChecksum.CRC32C)) {
            writer.write(tar, 0, tar.length);
            BackupDocument.Archive archive = BackupDocument.Archive.of(writer.finish());
            NewBackup.publish(storages, document(archive, backup.manifest(manifest), digests), () -> {});
        }
    }

    private static BackupDocument document(
            BackupDocument.Archive archive, BackupDocument.Manifest manifest, BackupDocument.Digests digests) {
        return new BackupDocument(
                BackupDocument.FORMAT_VERSION,
                LABEL,
                PATHS.cluster(),
                BackupType.FULL,
                null,
                PATHS.systemIdentifier(),
                PATHS.major(),
                new Timeline(1),
                Lsn.parse("0/2000028"),
                Lsn.parse("0/2000100"),
                BackupDocument.Wal.ARCHIVE,
                List.of(archive),
                manifest,
                digests,
                archive.bytes(),
                archive.storedBytes() + manifest.bytes(),
                NOW,
                NOW.plusSeconds(60),
                new BackupDocument.Method("fast", "zstd:1", ManifestChecksum.CRC32C),
                new BackupDocument.Source("18.6", false, List.of(), Map.of(), List.of(), List.of()),
                Map.of(),
                new RunId(42),
                "night-1",
                "0.1.0");
    }
}
