package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgramSettingsTest {

    @Test
    void defaults() {
        ProgramSettings settings = RecordBinder.fromMap(ProgramSettings.class, Map.of());

        assertThat(settings)
                .isEqualTo(new ProgramSettings(
                        ZoneId.of("UTC"),
                        new HttpSettings(0, "127.0.0.1"),
                        4,
                        Duration.ofMinutes(1),
                        Duration.ofSeconds(20),
                        new WorkingDay(
                                LocalTime.of(7, 0),
                                LocalTime.of(19, 0),
                                List.of(
                                        DayOfWeek.MONDAY,
                                        DayOfWeek.TUESDAY,
                                        DayOfWeek.WEDNESDAY,
                                        DayOfWeek.THURSDAY,
                                        DayOfWeek.FRIDAY)),
                        null,
                        null));
    }

    @Test
    void all_keys() {
        Map<String, ?> map = Map.of(
                "zone",
                "Africa/Nairobi",
                "http",
                Map.of("port", 8432, "address", "::1"),
                "work-threads",
                8,
                "stop-within",
                "90s",
                "shutdown-deadline",
                "5m",
                "working-day",
                Map.of("from", "08:00", "to", "17:30", "days", List.of("sunday")),
                "dead-man",
                Map.of("url", "https://monitor.internal/ping/secret", "every", "30s"));

        ProgramSettings settings = RecordBinder.fromMap(ProgramSettings.class, map);

        assertThat(settings)
                .isEqualTo(new ProgramSettings(
                        ZoneId.of("Africa/Nairobi"),
                        new HttpSettings(8432, "::1"),
                        8,
                        Duration.ofSeconds(90),
                        Duration.ofMinutes(5),
                        new WorkingDay(LocalTime.of(8, 0), LocalTime.of(17, 30), List.of(DayOfWeek.SUNDAY)),
                        new DeadManSettings(new Secret("https://monitor.internal/ping/secret"), Duration.ofSeconds(30)),
                        null));
    }

    @Test
    void refuses_a_dead_man_that_cannot_be_called_and_does_not_show_its_address() {
        Map<String, ?> map = Map.of("dead-man", Map.of("url", "ftp://monitor/secret", "every", "1s"));

        assertThatThrownBy(() -> RecordBinder.fromMap(ProgramSettings.class, map))
                .hasMessageContaining("dead-man.url: is not accepted; accepted: http://host/path or https://host/path")
                .hasMessageContaining("dead-man.every: is 1s; accepted: 10s or more")
                .hasMessageNotContaining("secret");
    }

    @Test
    void keeps_the_other_default_of_an_inner_map_that_names_one_key() {
        Map<String, ?> map = Map.of("http", Map.of("port", 8432));

        ProgramSettings settings = RecordBinder.fromMap(ProgramSettings.class, map);

        assertThat(settings.http()).isEqualTo(new HttpSettings(8432, "127.0.0.1"));
    }
}
