package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.HealthReport;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Life;
import io.nightshift.infra.routing.NodeObservation.Sessions;
import io.nightshift.infra.routing.ObservedCluster;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HealthTextTest {

    private static final Instant NOW = Instant.parse("2026-07-01T00:00:00Z");

    @Test
    void people_and_programs_see_how_old_the_newest_replayed_transaction_is() {
        var standby = new Answered(
                new NodeAddress("db2", 5432),
                NOW,
                new PostgresVersion(180001),
                new SystemIdentifier(7),
                new Life(true, NOW, NOW),
                new Timeline(1),
                Lsn.parse("0/5000000"),
                null,
                Duration.ofSeconds(90),
                new Sessions(3, 97));
        var observed = new ObservedCluster("chanuka", List.of(standby), null, null);
        var report = new HealthReport("chanuka", NOW, observed, List.of(), List.of(), Map.of(), List.of());
        StringWriter out = new StringWriter();

        HealthText.print(new PrintWriter(out, true), report);
        Map<?, ?> node = (Map<?, ?>) ((List<?>) HealthJson.of(report).get("nodes")).get(0);

        assertThat(out.toString()).containsPattern("location +lag +replayed +connections");
        assertThat(out.toString()).containsPattern("0/5000000 +unknown +1:30 min ago +3 of 97");
        assertThat(Map.<Object, Object>copyOf(node)).contains(entry("sinceReplaySeconds", 90.0));
    }
}
