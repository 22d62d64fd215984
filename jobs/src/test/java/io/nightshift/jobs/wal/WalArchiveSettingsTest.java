package io.nightshift.jobs.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.SettingsDescription;
import io.nightshift.jobs.wal.WalArchiveSettings.OnLimit;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WalArchiveSettingsTest {

    @Test
    void defaults() {
        var settings = RecordBinder.fromMap(WalArchiveSettings.class, Map.of());

        assertThat(settings)
                .isEqualTo(
                        new WalArchiveSettings(Duration.ofMinutes(1), DataSize.ofMegabytes(16 * 1024), OnLimit.DROP));
    }

    @Test
    void all_keys() {
        var settings = RecordBinder.fromMap(
                WalArchiveSettings.class,
                Map.of("store-partial-every", "5s", "max-retained", "64MB", "on-limit", "hold"));

        assertThat(settings)
                .isEqualTo(new WalArchiveSettings(Duration.ofSeconds(5), DataSize.ofMegabytes(64), OnLimit.HOLD));
        assertThat(SettingsDescription.of(WalArchiveSettings.class).rows())
                .allSatisfy(row -> assertThat(row.description()).isNotBlank());
    }

    @Test
    void limits_out_of_range_are_refused_together() {
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        WalArchiveSettings.class, Map.of("store-partial-every", "10ms", "max-retained", "1MB")))
                .hasMessageContaining("store-partial-every: is 10ms; accepted: 1s and more")
                .hasMessageContaining("max-retained: is 1MB; accepted: 32MB and more");
    }
}
