package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.ScriptedServer.Messages;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GarbageFromTheServerTest {

    private static final String SEEDS = "io.nightshift.infra.server.Seed#underTest";

    @Test
    void the_script_that_the_other_tests_damage_is_a_good_backup() {
        var receiver = new RecordingReceiver();

        var end = backup(goodBackup(), receiver);

        assertThat(end.lsn()).hasToString("0/2000100");
        assertThat(end.notices()).extracting(Object::toString).containsExactly("WARNING: careful");
        assertThat(end.sourceDamaged()).isFalse();
        assertThat(receiver.heard)
                .containsExactly(
                        "start 0/2000028 [0]",
                        "archive base.tar at ",
                        "data abc",
                        "notice careful",
                        "data def",
                        "progress 6",
                        "manifest {}");
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void noise_fails_cleanly(Seed seed) {
        var random = seed.random();
        for (var round = 0; round < Effort.of(30, 600); round++) {
            var noise = new byte[1 + random.nextInt(2_000)];
            random.nextBytes(noise);

            assertFailsCleanly(noise);
        }
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void a_flipped_bit_fails_cleanly_or_does_not_matter(Seed seed) {
        var random = seed.random();
        for (var round = 0; round < Effort.of(60, 2_000); round++) {
            var damaged = goodBackup();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));

            var thrown = catchThrowable(() -> backup(damaged, new RecordingReceiver()));

            assertThat(thrown)
                    .satisfiesAnyOf(
                            none -> assertThat(none).isNull(),
                            failure -> assertThat(failure).isInstanceOf(NightshiftException.class));
        }
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void messages_in_random_order_fail_cleanly(Seed seed) {
        var random = seed.random();
        for (var round = 0; round < Effort.of(30, 600); round++) {
            assertFailsCleanly(randomMessages(random));
        }
    }

    @Test
    void a_connection_cut_anywhere_is_unavailable_never_a_success() {
        var whole = goodBackup();
        var step = Math.max(1, 7 - Effort.number());
        for (var length = 0; length < whole.length; length += step) {
            var cut = Arrays.copyOf(whole, length);

            var failure = catchThrowableOfType(NightshiftException.class, () -> backup(cut, new RecordingReceiver()));

            assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            assertThat(failure).hasMessageContaining(": connection lost: ");
        }
    }

    @Test
    void says_what_is_wrong() {
        assertThat(failureOf(new Messages().message('Z', "I")))
                .hasMessageEndingWith("not the PostgreSQL protocol: message 'Z' instead of 'T'");
        assertThat(failureOf(new Messages().row("0/0", "x"))).hasMessageEndingWith("\"x\" instead of a timeline");
        assertThat(failureOf(new Messages().row("0/0", null))).hasMessageEndingWith("column 2 of a result is null");
        assertThat(failureOf(new Messages().row("0/0"))).hasMessageEndingWith("a result has 1 columns, not 2");
        assertThat(failureOf(started().message('H', new byte[3]).message('d', "dabc")))
                .hasMessageEndingWith("data before the first archive");
        assertThat(failureOf(
                        started().message('H', new byte[3]).message('d', "m").message('d', "nx\0\0")))
                .hasMessageEndingWith("an archive after the backup manifest");
        assertThat(failureOf(started().message('H', new byte[3]).message('d', "nx")))
                .hasMessageEndingWith("message ends 1 bytes early");
        assertThat(failureOf(started().message('H', new byte[3]).message('d', "?")))
                .hasMessageEndingWith("'?' inside the COPY of a base backup");
    }

    private static NightshiftException failureOf(Messages messages) {
        var failure = catchThrowableOfType(
                NightshiftException.class, () -> backup(messages.bytes(), new RecordingReceiver()));
        assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        assertThat(failure.hint()).isEqualTo("connect to the server itself, not through a pooler or a proxy");
        return failure;
    }

    private static void assertFailsCleanly(byte[] answer) {
        assertThat(catchThrowable(() -> backup(answer, new RecordingReceiver())))
                .isInstanceOf(NightshiftException.class)
                .hasMessageStartingWith("base backup from 127.0.0.1:");
    }

    private static BackupEnd backup(byte[] answer, BaseBackupReceiver receiver) {
        try (var server = new ScriptedServer(answer);
                var connection =
                        ReplicationConnection.open(server.url(), Connections.properties("x", "y"), "garbage")) {
            return connection.baseBackup(BaseBackupOptions.labelled("garbage").build(), receiver);
        }
    }

    private static byte[] goodBackup() {
        return started()
                .message('H', new byte[3])
                .message('d', "nbase.tar\0\0")
                .message('d', "dabc")
                .message('N', "SWARNUNG\0VWARNING\0C01000\0Mcareful\0\0")
                .message('d', "ddef")
                .message('S', "in_hot_standby\0off\0")
                .message('d', new byte[] {'p', 0, 0, 0, 0, 0, 0, 0, 6})
                .message('d', "m")
                .message('d', "d{}")
                .message('c', "")
                .row("0/2000100", "1")
                .message('C', "BASE_BACKUP\0")
                .message('Z', "I")
                .bytes();
    }

    private static Messages started() {
        return new Messages().row("0/2000028", "1").row(null, null, "24000");
    }

    private static byte[] randomMessages(Random random) {
        var messages = random.nextBoolean() ? new Messages() : started();
        for (var count = random.nextInt(20); count >= 0; count--) {
            var body = new byte[random.nextInt(40)];
            random.nextBytes(body);
            messages.message("TDCHdcGWENSAZR".charAt(random.nextInt(14)), body);
        }
        return messages.bytes();
    }

    private static final class RecordingReceiver implements BaseBackupReceiver {

        private final List<String> heard = new ArrayList<>();

        @Override
        public void started(BackupStart start) {
            heard.add("start " + start.lsn() + " "
                    + start.tablespaces().stream().map(TablespaceInfo::oid).toList());
        }

        @Override
        public void archive(String name, String location) {
            heard.add("archive " + name + " at " + location);
        }

        @Override
        public void data(byte[] buffer, int offset, int length) {
            heard.add("data " + new String(buffer, offset, length, StandardCharsets.ISO_8859_1));
        }

        @Override
        public void manifest(byte[] buffer, int offset, int length) {
            heard.add("manifest " + new String(buffer, offset, length, StandardCharsets.ISO_8859_1));
        }

        @Override
        public void progress(long bytesDone) {
            heard.add("progress " + bytesDone);
        }

        @Override
        public void notice(ServerNotice notice) {
            heard.add("notice " + notice.message());
        }
    }
}
