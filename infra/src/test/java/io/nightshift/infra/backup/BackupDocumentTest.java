package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.replication.ManifestChecksum;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackupDocumentTest {

    private static final BackupDocument DOCUMENT = Backups.document(
            BackupLabel.parse("20261122T010000Z-incremental-r8f3"),
            List.of(
                    new BackupDocument.Archive("16575.tar.zst", 4096, 300, "aa", "16575", "/mnt/fast"),
                    new BackupDocument.Archive("base.tar.zst", 8192, 1000, "bb", null, "")),
            new BackupDocument.Manifest("backup_manifest", 12, "cc"));

    @Test
    void reads_back_what_it_wrote() {
        byte[] written = BackupDocumentFile.write(DOCUMENT);

        assertThat(BackupDocumentFile.read(written)).isEqualTo(new BackupDocumentFile.Intact(DOCUMENT));
    }

    @Test
    void speaks_the_words_of_postgresql_and_ends_with_its_checksum() {
        String text = new String(BackupDocumentFile.write(DOCUMENT), StandardCharsets.UTF_8);

        assertThat(text)
                .contains("\"label\" : \"20261122T010000Z-incremental-r8f3\"")
                .contains("\"type\" : \"incremental\"")
                .contains("\"parent\" : \"20261121T010000Z-full-aaaa\"")
                .contains("\"systemIdentifier\" : \"7711071849857489922\"")
                .contains("\"endLsn\" : \"0/2000100\"")
                .contains("\"wal\" : \"included\"")
                .contains("\"startedAt\" : \"2026-11-22T01:00:00Z\"");
        assertThat(text.lines().reduce((before, last) -> last))
                .hasValueSatisfying(last -> assertThat(last).matches("\"checksum\": \"[0-9a-f]{64}\"}"));
    }

    @Test
    void ignores_fields_of_the_future() {
        String text = new String(BackupDocumentFile.write(DOCUMENT), StandardCharsets.UTF_8);

        byte[] newer = signed(text.replaceFirst("\\{", "{\n  \"colour\" : {\"of\" : [\"money\"]},"));

        assertThat(BackupDocumentFile.read(newer)).isEqualTo(new BackupDocumentFile.Intact(DOCUMENT));
    }

    @Test
    void calls_every_flipped_byte_damage() {
        byte[] written = BackupDocumentFile.write(DOCUMENT);

        for (int at = 0; at < written.length; at++) {
            byte[] flipped = written.clone();
            flipped[at] ^= 0x01;
            assertThat(BackupDocumentFile.read(flipped))
                    .as("byte %s", at)
                    .isInstanceOf(BackupDocumentFile.Damaged.class);
        }
    }

    @Test
    void calls_every_truncation_damage() {
        byte[] written = BackupDocumentFile.write(DOCUMENT);

        for (int length = 0; length < written.length; length++) {
            assertThat(BackupDocumentFile.read(Arrays.copyOf(written, length)))
                    .isInstanceOf(BackupDocumentFile.Damaged.class);
        }
    }

    @Test
    void says_why_a_well_signed_document_is_not_readable() {
        String text = new String(BackupDocumentFile.write(DOCUMENT), StandardCharsets.UTF_8);

        assertThat(reason(text.replace("\"formatVersion\" : 1", "\"formatVersion\" : 2")))
                .isEqualTo("backup.json has format version 2, this program knows up to 1");
        assertThat(reason(text.replace("0/2000100", "somewhere"))).contains("\"somewhere\" is not a WAL location");
        assertThat(reason(text.replace("\"startLsn\"", "\"beginLsn\""))).contains("a field is missing");
        assertThat(reason(text.replace("\"parent\"", "\"mother\"")))
                .contains("a backup of type incremental names no parent");
        assertThat(reason(text.replace("\"archives\"", "\"boxes\""))).contains("backup.json is not readable");
        assertThat(reason("{ [ ,\n\"checksum\": \"\"}\n")).contains("backup.json is not readable");
    }

    private static String reason(String text) {
        return ((BackupDocumentFile.Damaged) BackupDocumentFile.read(signed(text))).reason();
    }

    /** The text with a checksum that matches. */
    private static byte[] signed(String text) {
        String body = text.substring(0, text.lastIndexOf("\"checksum\": "));
        String sha256 = ManifestChecksum.SHA256.hexOf(body.getBytes(StandardCharsets.UTF_8));
        return (body + "\"checksum\": \"" + sha256 + "\"}\n").getBytes(StandardCharsets.UTF_8);
    }
}
