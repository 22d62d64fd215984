package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A process that serves dies while it accounts for a due time; the next one leaves no hole and makes no double. */
class AccountingCrashTest {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final List<String> CRASH_POINTS =
            List.of("account.before-commit", "account.after-commit", "account.before-arm");

    private static List<Instant> due(ControlDatabase database) {
        return new RunHistory(database.pool())
                .runs(RunFilter.newest(10_000).ofJob("often")).stream()
                        .map(Run::due)
                        .map(Objects::requireNonNull)
                        .sorted()
                        .toList();
    }

    @Test
    void gives_every_due_time_one_row_wherever_it_died() {
        try (Installation installation = Installation.embedded().write("jobs/often.yaml", """
                        type: full-backup
                        cluster: stage
                        schedule: {every: 2s}
                        """)) {
            for (String point : CRASH_POINTS.subList(0, Effort.of(1, CRASH_POINTS.size()))) {
                try (ChildJvm killed = ChildJvm.start(
                        Main.class,
                        Map.of("NIGHTSHIFT_CRASH_AT", point),
                        "--home",
                        installation.home().toString(),
                        "--config",
                        installation.configuration().toString(),
                        "serve")) {
                    assertThat(killed.exitStatus()).as(point + "\n" + killed).isEqualTo(137);
                }
            }
            try (ControlDatabase database = installation.controlDatabase()) {
                int before = due(database).size();
                try (Nightshift nightshift = installation.serving(database)) {
                    assertThat(nightshift.httpPort()).isPositive();
                    await().atMost(LIMIT).until(() -> due(database).size() >= before + 2);
                }

                List<Instant> due = due(database);
                assertThat(due)
                        .isEqualTo(Stream.iterate(due.get(0), time -> time.plusSeconds(2))
                                .limit(due.size())
                                .toList());
            }
        }
    }
}
