package io.nightshift.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerifyStorageSettingsTest {

    @Test
    void defaults() {
        assertThat(RecordBinder.fromMap(VerifyStorageSettings.class, Map.of()))
                .isEqualTo(new VerifyStorageSettings(Duration.ofDays(30), null, null, true));
    }

    @Test
    void all_keys() {
        assertThat(RecordBinder.fromMap(
                        VerifyStorageSettings.class,
                        Map.of("every", "7d", "budget", "500GB", "max-rate", "50MB", "repair", false)))
                .isEqualTo(new VerifyStorageSettings(
                        Duration.ofDays(7), DataSize.parse("500GB"), DataSize.ofMegabytes(50), false));
    }

    @Test
    void what_makes_no_sense_is_refused() {
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        VerifyStorageSettings.class, Map.of("every", "1h", "budget", "0B", "max-rate", "1kB")))
                .hasMessageContaining("is shorter than 1d")
                .hasMessageContaining("is 0B; leave it out for no limit")
                .hasMessageContaining("is 1kB; accepted: from 32kB on, or leave it out for full speed");
    }
}
