package io.nightshift.infra.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.SettingsDescription;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HealthSettingsTest {

    @Test
    void defaults() {
        var settings = RecordBinder.fromMap(HealthSettings.class, Map.of());

        assertThat(settings).isEqualTo(HealthSettings.defaults());
        assertThat(settings.connections()).isEqualTo(new NumberLimits(80, 95));
        assertThat(settings.longTransaction()).isEqualTo(new DurationLimits(Duration.ofHours(1), Duration.ofHours(6)));
        assertThat(settings.except()).isEmpty();
    }

    @Test
    void all_keys() {
        var settings = RecordBinder.fromMap(
                HealthSettings.class,
                Map.of(
                        "except", List.of("triggers"),
                        "connections", Map.of("warning", 50, "critical", 60),
                        "slot-inactive", "1h",
                        "query-limit", "2s",
                        "wal-directory-floor", "1GB"));

        assertThat(settings.except()).containsExactly("triggers");
        assertThat(settings.connections()).isEqualTo(new NumberLimits(50, 60));
        assertThat(settings.slotInactive()).isEqualTo(Duration.ofHours(1));
        assertThat(SettingsDescription.of(HealthSettings.class).rows())
                .hasSizeGreaterThan(40)
                .allSatisfy(row -> assertThat(row.key()).matches("[a-z-]+(\\.[a-z-]+)?"))
                .extracting(SettingsDescription.Row::key)
                .contains("connections.warning", "slot-retained.critical", "node-limit");
    }

    @Test
    void refuses_what_cannot_be_meant() {
        assertThatThrownBy(() -> RecordBinder.fromMap(HealthSettings.class, Map.of("except", List.of("trigers"))))
                .hasMessageContaining("there is no check trigers");
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        HealthSettings.class, Map.of("connections", Map.of("warning", 90, "critical", 80))))
                .hasMessageContaining("connections.warning: is 90, more than critical, 80");
        assertThatThrownBy(() -> RecordBinder.fromMap(HealthSettings.class, Map.of("node-limit", "1s")))
                .hasMessageContaining("is shorter than query-limit");
    }
}
