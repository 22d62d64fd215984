package io.nightshift.infra.backup;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.BaseBackupOptions;
import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.infra.replication.BaseBackupReceiver;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.server.WireRelay;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Small real inputs for the fuzz tests, in {@code src/test/resources/corpus}: what servers of each version sent, with most
 * of the files left out. Its {@link #main} makes them anew into the directory it is given.
 */
public final class Corpus {

    private static final String ANSWERS = "base_backup_%d.messages";
    private static final String MANIFEST = "backup_manifest_%d";
    private static final String TAR = "base_%d.tar";
    private static final String ARCHIVE = "base_%d.tar.zst";

    private static final int MOST_DATA = 300;
    private static final int MOST_FILES = 20;
    private static final int LARGEST_MEMBER = 1024;

    private Corpus() {}

    /** What a server sends from the command on; for 15 and 18. */
    public static byte[] answer(int major) {
        return read(String.format(ANSWERS, major));
    }

    /** For 15 to 18. */
    public static byte[] manifest(int major) {
        return read(String.format(MANIFEST, major));
    }

    /** For 15 and 18. */
    public static byte[] tar(int major) {
        return read(String.format(TAR, major));
    }

    /** Our archive of the same tar. */
    public static byte[] archive(int major) {
        return read(String.format(ARCHIVE, major));
    }

    private static byte[] read(String name) {
        try (InputStream in = Corpus.class.getResourceAsStream("/corpus/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        for (int major : List.of(15, 16, 17, 18)) {
            Captured captured = new Captured();
            List<byte[]> messages = capture(major, captured);
            Files.write(directory.resolve(String.format(MANIFEST, major)), shortened(captured.manifest));
            if (major == 15 || major == 18) {
                Files.write(directory.resolve(String.format(ANSWERS, major)), shortened(messages));
                byte[] tar = shortened(captured.tar.toByteArray());
                Files.write(directory.resolve(String.format(TAR, major)), tar);
                Files.write(directory.resolve(String.format(ARCHIVE, major)), archived(tar));
            }
        }
    }

    private static List<byte[]> capture(int major, Captured captured) {
        try (TestPostgres postgres = TestPostgres.start(major, Map.of());
                WireRelay relay = new WireRelay(postgres.port())) {
            Properties properties = new Properties();
            properties.setProperty("user", postgres.username());
            properties.setProperty("password", postgres.password());
            properties.setProperty("sslmode", "disable");
            relay.record();
            try (ReplicationConnection connection = ReplicationConnection.open(
                    "jdbc:postgresql://127.0.0.1:" + relay.port() + "/", properties, "corpus")) {
                connection.baseBackup(
                        BaseBackupOptions.labelled("corpus")
                                .checkpoint(Checkpoint.FAST)
                                .progress(true)
                                .manifest(ManifestChecksum.CRC32C)
                                .build(),
                        captured);
            }
            return relay.recorded();
        }
    }

    /** Of the answer to BASE_BACKUP, two data messages of each kind in a row, cut short. */
    private static byte[] shortened(List<byte[]> messages) throws IOException {
        int login = 0;
        while (messages.get(login)[0] != 'Z') {
            login++;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int inARow = 0;
        for (byte[] message : messages.subList(login + 1, messages.size())) {
            boolean data = message[0] == 'd' && message[5] == 'd';
            boolean progress = message[0] == 'd' && message[5] == 'p';
            inARow = data ? inARow + 1 : progress ? inARow : 0;
            if (!data) {
                out.write(message);
            } else if (inARow <= 2) {
                int length = Math.min(message.length, MOST_DATA);
                out.write(ByteBuffer.wrap(message.clone()).putInt(1, length - 1).array(), 0, length);
            }
        }
        return out.toByteArray();
    }

    private static byte[] shortened(ByteArrayOutputStream manifest) {
        List<String> lines =
                new ArrayList<>(manifest.toString(ISO_8859_1).lines().toList());
        lines.remove(lines.size() - 1);
        int files = lines.indexOf("\"Files\": [") + 1;
        int end = lines.indexOf("],");
        lines.subList(files + MOST_FILES, end - 1).clear();
        String body = String.join("\n", lines) + "\n";
        return (body + "\"Manifest-Checksum\": \"" + ManifestChecksum.SHA256.hexOf(body.getBytes(ISO_8859_1)) + "\"}\n")
                .getBytes(ISO_8859_1);
    }

    /** The first small members, and the end. */
    private static byte[] shortened(byte[] tar) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int members = 0;
        for (int at = 0; members < MOST_FILES && tar[at] != 0; ) {
            byte[] header = new byte[TarHeader.BLOCK];
            System.arraycopy(tar, at, header, 0, header.length);
            int whole = TarHeader.BLOCK
                    + (int) TarHeader.padded(TarHeader.parse(header, "corpus").size());
            if (whole <= LARGEST_MEMBER) {
                out.write(tar, at, whole);
                members++;
            }
            at += whole;
        }
        out.write(new byte[2 * TarHeader.BLOCK], 0, 2 * TarHeader.BLOCK);
        return out.toByteArray();
    }

    private static byte[] archived(byte[] tar) throws IOException {
        Path directory = Files.createTempDirectory("corpus");
        try (ArchiveCompressor compressor = new ArchiveCompressor(3, 1);
                NewBackup backup = NewBackup.begin(
                        StorageSet.of(new DirectoryStorage("local", directory)),
                        Backups.PATHS,
                        Backups.label("20261122T010000Z-full-r8f3"),
                        Backups.MARKER,
                        compressor);
                ArchiveWriter writer = backup.archive("base.tar", "", ManifestChecksum.CRC32C)) {
            writer.write(tar, 0, tar.length);
            return Files.readAllBytes(directory.resolve(writer.finish().object()));
        }
    }

    private static final class Captured implements BaseBackupReceiver {

        private final ByteArrayOutputStream tar = new ByteArrayOutputStream();
        private final ByteArrayOutputStream manifest = new ByteArrayOutputStream();

        @Override
        public void started(BackupStart start) {}

        @Override
        public void archive(String name, String location) {}

        @Override
        public void data(byte[] buffer, int offset, int length) {
            tar.write(buffer, offset, length);
        }

        @Override
        public void manifest(byte[] buffer, int offset, int length) {
            manifest.write(buffer, offset, length);
        }
    }
}
