package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.SettingsDescription;
import io.nightshift.jobs.integrity.IntegritySettings.Where;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IntegritySettingsTest {

    @Test
    void defaults() {
        assertThat(RecordBinder.fromMap(IntegritySettings.class, Map.of()))
                .isEqualTo(new IntegritySettings(
                        Where.CHEAPEST,
                        Duration.ofHours(2),
                        2,
                        DataSize.ofMegabytes(256),
                        Duration.ofSeconds(5),
                        Duration.ofMinutes(30),
                        false,
                        Duration.ofDays(14),
                        List.of(),
                        SchemaSettings.defaults()));
    }

    @Test
    void all_keys() {
        var settings = RecordBinder.fromMap(
                IntegritySettings.class,
                Map.of(
                        "where", "standby",
                        "time-limit", "3h",
                        "parallel", 4,
                        "chunk-size", "64MB",
                        "chunk-limit", "2s",
                        "index-limit", "1h",
                        "deep", true,
                        "every-node-within", "7d",
                        "except", List.of("unique", "foreign-key"),
                        "schema",
                                Map.of(
                                        "like", Map.of("shop", "staging/shop"),
                                        "migrations", Map.of("shop", "/srv/migrations"),
                                        "except", List.of("rights"))));

        assertThat(settings)
                .isEqualTo(new IntegritySettings(
                        Where.STANDBY,
                        Duration.ofHours(3),
                        4,
                        DataSize.ofMegabytes(64),
                        Duration.ofSeconds(2),
                        Duration.ofHours(1),
                        true,
                        Duration.ofDays(7),
                        List.of(Check.UNIQUE, Check.FOREIGN_KEY),
                        new SchemaSettings(
                                Map.of("shop", new ClusterDatabase("staging", "shop")),
                                Map.of("shop", Path.of("/srv/migrations")),
                                List.of(SchemaSettings.Part.RIGHTS))));
        assertThat(SettingsDescription.of(IntegritySettings.class).rows())
                .allSatisfy(row -> assertThat(row.description()).isNotBlank());
    }

    @Test
    void what_makes_no_sense_is_refused() {
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        IntegritySettings.class,
                        Map.of(
                                "parallel",
                                0,
                                "chunk-size",
                                "1kB",
                                "chunk-limit",
                                "10ms",
                                "schema",
                                Map.of("like", Map.of("shop", "staging")))))
                .hasMessageContaining("parallel: is 0, not between 1 and 16")
                .hasMessageContaining("chunk-size: is smaller than a block of 8kB")
                .hasMessageContaining("chunk-limit: is shorter than 1s")
                .hasMessageContaining(
                        "schema.like.shop: \"staging\" is not accepted; accepted: CLUSTER/DATABASE, such as staging/shop");
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        IntegritySettings.class,
                        Map.of(
                                "schema",
                                Map.of(
                                        "migrations",
                                        Map.of("shop", "/srv/shop"),
                                        "except",
                                        List.of("history", "history")))))
                .hasMessageContaining("schema.except: names something twice")
                .hasMessageContaining(
                        "schema.migrations: is not looked at where except leaves history out; keep one of the two");
        assertThat(new IntegrityValidationJobType()
                        .otherClusters(RecordBinder.fromMap(
                                IntegritySettings.class,
                                Map.of("schema", Map.of("like", Map.of("shop", "staging/shop"))))))
                .isEqualTo(Map.of("schema.like.shop", "staging"));
    }
}
