package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.SettingsDescription;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BisectSettingsTest {

    @Test
    void defaults() {
        assertThat(RecordBinder.fromMap(BisectSettings.class, Map.of()))
                .isEqualTo(new BisectSettings(null, null, Duration.ofHours(4)));
    }

    @Test
    void all_keys() {
        var settings = RecordBinder.fromMap(
                BisectSettings.class,
                Map.of(
                        BisectDamageJobType.FINDING,
                        "integrity/heap/a.b.c",
                        "scratch-limit",
                        "1GB",
                        "check-limit",
                        "1h"));

        assertThat(settings)
                .isEqualTo(new BisectSettings("integrity/heap/a.b.c", DataSize.ofMegabytes(1024), Duration.ofHours(1)));
        assertThat(SettingsDescription.of(BisectSettings.class).rows())
                .allSatisfy(row -> assertThat(row.description()).isNotBlank());
    }

    @Test
    void a_finding_that_no_backup_can_show_is_refused() {
        assertThatThrownBy(() -> RecordBinder.fromMap(
                        BisectSettings.class, Map.of("finding", "integrity/disabled-trigger/shop.public.orders")))
                .hasMessageContaining(
                        "finding: is integrity/disabled-trigger/shop.public.orders, which is not about what"
                                + " restored backups can show: keys that it takes begin with integrity/heap/, integrity/btree/");
        assertThatThrownBy(() -> ProbedSubject.of(null)).hasMessageContaining("bisect-damage needs a finding");
        assertThat(ProbedSubject.of("integrity/node/db1:5432/heap/shop.public.orders"))
                .isEqualTo(new ProbedSubject(Check.HEAP, "shop.public.orders"));
        assertThat(ProbedSubject.of("integrity/foreign-key/shop.public.orders.fk"))
                .isEqualTo(new ProbedSubject(Check.FOREIGN_KEY, "shop.public.orders.fk"));
    }
}
