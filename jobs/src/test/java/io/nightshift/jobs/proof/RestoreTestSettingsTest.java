package io.nightshift.jobs.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.SettingsDescription;
import io.nightshift.jobs.proof.RestoreTestSettings.Choice;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RestoreTestSettingsTest {

    @Test
    void defaults() {
        var settings = RecordBinder.fromMap(RestoreTestSettings.class, Map.of());

        assertThat(settings)
                .isEqualTo(new RestoreTestSettings(
                        Choice.NEWEST, null, null, Duration.ofHours(1), null, List.of(), null, List.of()));
    }

    @Test
    void all_keys() {
        var settings = RecordBinder.fromMap(
                RestoreTestSettings.class,
                Map.of(
                        "backup", "random",
                        "seed", 42,
                        "scratch-limit", "200GB",
                        "check-limit", "20m",
                        "digest-limit", "30m",
                        "closed-ranges",
                                List.of(Map.of("database", "shop", "table", "public.orders", "where", "year < 2026")),
                        "keep-copy", "6h",
                        "assertions", List.of(Map.of("database", "shop", "sql", "SELECT true"))));

        assertThat(settings)
                .isEqualTo(new RestoreTestSettings(
                        Choice.RANDOM,
                        42L,
                        DataSize.ofMegabytes(200 << 10),
                        Duration.ofMinutes(20),
                        Duration.ofMinutes(30),
                        List.of(new ClosedRange("shop", "public.orders", "year < 2026")),
                        Duration.ofHours(6),
                        List.of(new SqlAssertion("shop", "SELECT true"))));
        assertThat(SettingsDescription.of(RestoreTestSettings.class).rows())
                .allSatisfy(row -> assertThat(row.description()).isNotBlank());
    }

    @Test
    void limits_and_assertions_that_make_no_sense_are_refused() {
        assertThatThrownBy(() -> RecordBinder.fromMap(RestoreTestSettings.class, Map.of("check-limit", "10ms")))
                .hasMessageContaining("check-limit: is shorter than 1s");
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        RestoreTestSettings.class,
                        Map.of("assertions", List.of(Map.of("database", "shop", "sql", " ")))))
                .hasMessageContaining("sql: is empty");
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        RestoreTestSettings.class, Map.of("backup", "random-moment", "digest-limit", "1m")))
                .hasMessageContaining("digest-limit: compares with the source as it is now");
        assertThatThrownBy(() -> RecordBinder.fromMap(RestoreTestSettings.class, Map.of("seed", 1)))
                .hasMessageContaining("seed: repeats a random choice, but backup is newest");
    }
}
