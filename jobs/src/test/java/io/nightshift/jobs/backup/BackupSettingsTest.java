package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.SettingsDescription;
import io.nightshift.infra.load.LoadLimits;
import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.jobs.backup.BackupSettings.Source;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BackupSettingsTest {

    @Test
    void defaults() {
        var settings = RecordBinder.fromMap(BackupSettings.class, Map.of());

        assertThat(settings)
                .isEqualTo(new BackupSettings(
                        "zstd:3",
                        2,
                        Checkpoint.SPREAD,
                        Source.PRIMARY,
                        DataSize.ofMegabytes(1024),
                        null,
                        new LoadLimits(DataSize.ofMegabytes(512), 100, DataSize.ofMegabytes(16 * 1024), List.of()),
                        DataSize.ofMegabytes(16),
                        ManifestChecksum.CRC32C,
                        Duration.ofMinutes(10),
                        Map.of()));
    }

    @Test
    void all_keys() {
        Map<String, Object> yielding = Map.of(
                "max-lag",
                "64MB",
                "max-active-sessions",
                20,
                "max-retained-wal",
                "2GB",
                "except-standbys",
                List.of("delayed"));
        var settings = RecordBinder.fromMap(
                BackupSettings.class,
                Map.ofEntries(
                        Map.entry("compression", "zstd:19"),
                        Map.entry("compression-threads", 64),
                        Map.entry("checkpoint", "fast"),
                        Map.entry("source", "standby-preferred"),
                        Map.entry("max-lag", "16MB"),
                        Map.entry("max-rate", "50MB"),
                        Map.entry("yield", yielding),
                        Map.entry("floor-rate", "4MB"),
                        Map.entry("manifest-checksum", "sha256"),
                        Map.entry("idle-limit", "90s"),
                        Map.entry("labels", Map.of("ticket", "OPS-7"))));

        assertThat(settings)
                .isEqualTo(new BackupSettings(
                        "zstd:19",
                        64,
                        Checkpoint.FAST,
                        Source.STANDBY_PREFERRED,
                        DataSize.ofMegabytes(16),
                        DataSize.ofMegabytes(50),
                        new LoadLimits(DataSize.ofMegabytes(64), 20, DataSize.ofMegabytes(2048), List.of("delayed")),
                        DataSize.ofMegabytes(4),
                        ManifestChecksum.SHA256,
                        Duration.ofSeconds(90),
                        Map.of("ticket", "OPS-7")));
        assertThat(SettingsDescription.of(BackupSettings.class).rows())
                .extracting(SettingsDescription.Row::key)
                .containsExactly(
                        "compression",
                        "compression-threads",
                        "checkpoint",
                        "source",
                        "max-lag",
                        "max-rate",
                        "yield.max-lag",
                        "yield.max-active-sessions",
                        "yield.max-retained-wal",
                        "yield.except-standbys",
                        "floor-rate",
                        "manifest-checksum",
                        "idle-limit",
                        "labels");
        assertThat(SettingsDescription.of(BackupSettings.class).rows())
                .allSatisfy(row -> assertThat(row.description()).isNotBlank());
    }

    @ParameterizedTest
    @CsvSource({"zstd, 3", "zstd:1, 1", "zstd:9, 9", "zstd:19, 19"})
    void a_compression_has_a_level(String compression, int level) {
        var settings = RecordBinder.fromMap(BackupSettings.class, Map.of("compression", compression));

        assertThat(settings.compressionLevel()).isEqualTo(level);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "gzip", "zstd:", "zstd:0", "zstd:20", "zstd:-1", "zstd:3 ", "ZSTD:3", "zstd:3,workers=2"})
    void another_compression_is_refused_with_what_is_accepted(String compression) {
        assertThatThrownBy(() -> RecordBinder.fromMap(BackupSettings.class, Map.of("compression", compression)))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining("\"" + compression + "\"; accepted: zstd:1 to zstd:19");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 65})
    void a_number_of_threads_out_of_range_is_refused_with_the_range(int threads) {
        assertThatThrownBy(() -> RecordBinder.fromMap(BackupSettings.class, Map.of("compression-threads", threads)))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining(threads + "; accepted: 1 to 64");
    }

    @Test
    void limits_out_of_range_are_refused_together() {
        Map<String, Object> wrong = Map.of(
                "max-rate", "31kB",
                "manifest-checksum", "none",
                "idle-limit", "1s",
                "floor-rate", "0kB",
                "yield", Map.of("max-active-sessions", 0));

        assertThatThrownBy(() -> RecordBinder.fromMap(BackupSettings.class, wrong))
                .hasMessageContaining("max-rate: is 31kB; accepted: 32kB to 1GB")
                .hasMessageContaining("floor-rate: is 0B; accepted: 32kB to 1GB")
                .hasMessageContaining("yield.max-active-sessions: is 0; accepted: 1 and more")
                .hasMessageContaining("manifest-checksum: is none")
                .hasMessageContaining("idle-limit: is shorter than 10s");
    }

    @Test
    void an_unknown_key_and_an_unknown_checkpoint_are_told_together() {
        Map<String, Object> wrong = Map.of("compresion", "zstd:3", "checkpoint", "immediate");

        assertThatThrownBy(() -> RecordBinder.fromMap(BackupSettings.class, wrong))
                .isInstanceOf(NightshiftException.class)
                .satisfies(failure -> assertThat(List.of("compresion", "compression", "immediate", "fast", "spread"))
                        .allMatch(word -> failure.getMessage().contains(word)));
    }
}
