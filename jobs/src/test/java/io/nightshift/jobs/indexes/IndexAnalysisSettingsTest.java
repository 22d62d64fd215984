package io.nightshift.jobs.indexes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.SettingsDescription;
import io.nightshift.infra.index.plan.MissingLimits;
import io.nightshift.infra.workload.WorkloadLimits;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IndexAnalysisSettingsTest {

    @Test
    void defaults() {
        assertThat(RecordBinder.fromMap(IndexAnalysisSettings.class, Map.of()))
                .isEqualTo(new IndexAnalysisSettings(
                        DataSize.ofMegabytes(1),
                        DataSize.ofMegabytes(10),
                        Duration.ofDays(35),
                        1000,
                        5,
                        List.of(),
                        null,
                        new WorkloadLimits(Duration.ofDays(35), 90, 50, Duration.ofMillis(1), 200),
                        new MissingLimits(10_000, DataSize.ofMegabytes(8), 3, 8, 10, 50, 2, false)));
    }

    @Test
    void all_keys() {
        var settings = RecordBinder.fromMap(
                IndexAnalysisSettings.class,
                Map.of(
                        "smallest-table",
                        "64kB",
                        "smallest-index",
                        "16kB",
                        "window",
                        "40d",
                        "written-rows",
                        5,
                        "measured-indexes",
                        2,
                        "keep",
                        List.of("shop.public.orders_*", "*.audit.*"),
                        "planner",
                        "reader",
                        "workload",
                        Map.of("window", "7d", "share", 80, "calls", 5, "mean", "2ms", "most", 10),
                        "missing",
                        Map.of(
                                "rows",
                                100,
                                "size",
                                "1MB",
                                "most",
                                1,
                                "per-table",
                                5,
                                "budget",
                                20,
                                "better",
                                60,
                                "worthwhile",
                                3,
                                "trust-functions",
                                true)));

        assertThat(settings)
                .isEqualTo(new IndexAnalysisSettings(
                        new DataSize(64 << 10),
                        new DataSize(16 << 10),
                        Duration.ofDays(40),
                        5,
                        2,
                        List.of("shop.public.orders_*", "*.audit.*"),
                        "reader",
                        new WorkloadLimits(Duration.ofDays(7), 80, 5, Duration.ofMillis(2), 10),
                        new MissingLimits(100, DataSize.ofMegabytes(1), 1, 5, 20, 60, 3, true)));
        assertThat(SettingsDescription.of(IndexAnalysisSettings.class).rows())
                .allSatisfy(row -> assertThat(row.description()).isNotBlank());
    }

    @Test
    void what_makes_no_sense_is_refused() {
        assertThatThrownBy(() ->
                        RecordBinder.fromMap(IndexAnalysisSettings.class, Map.of("keep", List.of("orders_created_at"))))
                .hasMessageContaining("keep: has orders_created_at, which is not database.schema.index");
        assertThatThrownBy(() -> RecordBinder.fromMap(IndexAnalysisSettings.class, Map.of("window", "12h")))
                .hasMessageContaining("window: is 12h, which is not between 1d and 400d");
        assertThatThrownBy(() -> RecordBinder.fromMap(IndexAnalysisSettings.class, Map.of("written-rows", -1)))
                .hasMessageContaining("written-rows: is -1, which is below 0");
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        IndexAnalysisSettings.class,
                        Map.of("missing", Map.of("budget", 0), "workload", Map.of("share", 101))))
                .hasMessageContaining("budget: is 0; accepted: 1 to 100")
                .hasMessageContaining("share: is 101; accepted: 1 to 100");
    }
}
