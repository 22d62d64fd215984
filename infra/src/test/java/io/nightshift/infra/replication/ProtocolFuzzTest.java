package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import io.nightshift.infra.backup.Corpus;
import io.nightshift.infra.replication.ScriptedServer.Messages;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Mutations;
import io.nightshift.infra.server.Seed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What servers really sent, damaged in thousands of ways. */
@Timeout(300)
class ProtocolFuzzTest {

    private static final String SEEDS = "io.nightshift.infra.server.Seed#underTest";
    /** The reader's buffer, and what one message or one result may have. */
    private static final long MOST_MEMORY = 3L * MessageReader.LONGEST_MESSAGE;

    @ParameterizedTest
    @ValueSource(ints = {15, 18})
    void the_answers_that_are_damaged_are_good_backups(int major) throws IOException {
        NullReceiver receiver = new NullReceiver();

        BackupEnd end = receive(new ByteArrayInputStream(Corpus.answer(major)), receiver);

        assertThat(end.timeline()).hasToString("1");
        assertThat(receiver.bytes).isPositive();
    }

    @ParameterizedTest
    @ValueSource(ints = {15, 16, 17, 18})
    void the_manifests_that_are_damaged_are_good_manifests(int major) throws IOException {
        BackupManifest manifest = BackupManifest.parse(new ByteArrayInputStream(Corpus.manifest(major)));

        assertThat(manifest.files()).hasSizeGreaterThan(10);
        assertThat(manifest.walRanges()).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void a_damaged_answer_is_a_backup_or_a_clean_failure_within_bounded_memory(Seed seed) {
        Random random = seed.random();
        Mutations mutations = new Mutations(random);
        for (int round = 0; round < Effort.of(3_000, 100_000); round++) {
            byte[] answer = mutations.of(Corpus.answer(random.nextBoolean() ? 15 : 18), Corpus.answer(15));

            long before = allocated();
            Throwable thrown = catchThrowable(() -> receive(new ByteArrayInputStream(answer), new NullReceiver()));

            assertThat(allocated() - before).as("bytes, round %s", round).isLessThan(MOST_MEMORY);
            if (thrown != null) {
                assertThat(thrown).as("round %s", round).isInstanceOf(IOException.class);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void a_damaged_manifest_is_a_manifest_or_damaged_data(Seed seed) {
        Random random = seed.random();
        Mutations mutations = new Mutations(random);
        for (int round = 0; round < Effort.of(1_000, 100_000); round++) {
            byte[] damaged = mutations.of(Corpus.manifest(15 + random.nextInt(4)), Corpus.manifest(17));
            byte[] manifest = random.nextBoolean() ? damaged : withChecksum(damaged);

            long before = allocated();
            Throwable thrown = catchThrowable(() -> BackupManifest.parse(new ByteArrayInputStream(manifest)));

            assertThat(allocated() - before).as("bytes, round %s", round).isLessThan(MOST_MEMORY);
            if (thrown != null) {
                assertThat(thrown)
                        .as("round %s", round)
                        .isInstanceOfSatisfying(
                                NightshiftException.class,
                                failure -> assertThat(failure.kind()).isEqualTo(FailureKind.DATA_DAMAGED));
            }
        }
    }

    @Test
    void a_message_that_says_it_is_two_gigabytes_long_takes_no_two_gigabytes() {
        for (char type : "TDCHdcNEZSA".toCharArray()) {
            byte[] start = new Messages()
                    .row("0/2000028", "1")
                    .row(null, null, "1")
                    .message('H', new byte[3])
                    .bytes();
            byte[] answer = ByteBuffer.allocate(start.length + 100)
                    .put(start)
                    .put((byte) type)
                    .putInt(Integer.MAX_VALUE - 8)
                    .put("nbase.tar".getBytes(StandardCharsets.US_ASCII))
                    .array();

            long before = allocated();
            Throwable thrown = catchThrowable(() -> receive(new ByteArrayInputStream(answer), new NullReceiver()));

            assertThat(thrown).as("%s", type).isInstanceOf(IOException.class);
            assertThat(allocated() - before).as("%s", type).isLessThan(1 << 20);
        }
    }

    @Test
    void a_name_and_a_result_that_never_end_are_refused() {
        byte[] start = new Messages()
                .row("0/2000028", "1")
                .row(null, null, "1")
                .message('H', new byte[3])
                .bytes();
        byte[] name = ByteBuffer.allocate(start.length + 6)
                .put(start)
                .put((byte) 'd')
                .putInt(Integer.MAX_VALUE)
                .put((byte) 'n')
                .array();
        byte[] row = new Messages().row("0/2000028", "1").bytes();
        byte[] opening = ByteBuffer.allocate(7).put(row, 0, 7).array();
        byte[] again = ByteBuffer.allocate(row.length - 7 - 12)
                .put(row, 7, row.length - 7 - 12)
                .array();

        assertThat(catchThrowable(() -> receive(endless(name, new byte[] {'x'}), new NullReceiver())))
                .isInstanceOf(ProtocolViolation.class)
                .hasMessage("a text of more than 16777216 bytes");
        assertThat(catchThrowable(() -> receive(endless(opening, again), new NullReceiver())))
                .isInstanceOf(ProtocolViolation.class)
                .hasMessage("a result of more than 16777216 bytes");
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void a_damaged_login_is_a_clean_failure(Seed seed) {
        Mutations mutations = new Mutations(seed.random());
        for (int round = 0; round < Effort.of(20, 500); round++) {
            byte[] welcome = mutations.of(ScriptedServer.welcome(), ScriptedServer.welcome());
            try (ScriptedServer server = new ScriptedServer(welcome, Corpus.answer(18))) {
                Throwable thrown = catchThrowable(() -> openAndReceive(server));

                if (thrown != null) {
                    assertThat(thrown).as("round %s", round).isInstanceOf(NightshiftException.class);
                }
            }
        }
    }

    @Test
    void a_login_that_says_it_is_two_gigabytes_long_is_a_clean_failure() {
        for (char type : "REKSNZ".toCharArray()) {
            byte[] welcome = ByteBuffer.allocate(100)
                    .put((byte) type)
                    .putInt(Integer.MAX_VALUE - 8)
                    .array();
            try (ScriptedServer server = new ScriptedServer(welcome, new byte[0])) {
                NightshiftException failure =
                        catchThrowableOfType(NightshiftException.class, () -> openAndReceive(server));

                assertThat(failure.kind()).as("%s: %s", type, failure).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            }
        }
        assertThatCode(() -> openAndReceive(new ScriptedServer(Corpus.answer(18))))
                .doesNotThrowAnyException();
    }

    private static void openAndReceive(ScriptedServer server) {
        try (ReplicationConnection connection =
                ReplicationConnection.open(server.url(), Connections.properties("x", "y"), "fuzz")) {
            connection.baseBackup(BaseBackupOptions.labelled("fuzz").build(), new NullReceiver());
        }
    }

    private static BackupEnd receive(InputStream answer, BaseBackupReceiver receiver) throws IOException {
        return new BaseBackupStream(new MessageReader(answer), limit -> {}, receiver, null).receive();
    }

    /** The beginning, and then the same again and again. */
    private static InputStream endless(byte[] beginning, byte[] again) {
        return new InputStream() {
            private long at;

            @Override
            public int read(byte[] bytes, int offset, int length) {
                bytes[offset] = (byte) read();
                return 1;
            }

            @Override
            public int read() {
                long next = at++;
                return (next < beginning.length
                                ? beginning[(int) next]
                                : again[(int) ((next - beginning.length) % again.length)])
                        & 0xFF;
            }
        };
    }

    /** As somebody would damage a manifest who knows its last line. */
    private static byte[] withChecksum(byte[] manifest) {
        String text = new String(manifest, StandardCharsets.ISO_8859_1);
        int last = text.lastIndexOf("\"Manifest-Checksum\"");
        if (last < 0) {
            return manifest;
        }
        byte[] body = text.substring(0, last).getBytes(StandardCharsets.ISO_8859_1);
        String line = "\"Manifest-Checksum\": \"" + ManifestChecksum.SHA256.hexOf(body) + "\"}\n";
        return (text.substring(0, last) + line).getBytes(StandardCharsets.ISO_8859_1);
    }

    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().getId());
    }
}
