package io.nightshift.infra.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.server.TestPostgres;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a server has counted is judged over the time since an earlier look, and over no time that it did not count in. */
class NodeCountersTest {

    private static final String[] ANY = {"temp-files-per-day", "1MB"};

    private TestPostgres server;
    private HealthTrial trial;

    /** A look that all of this one's counters were read in, so long ago. */
    private void age(Duration by) {
        List<CounterReading> readings = trial.readings().of(HealthTrial.CLUSTER);
        trial.readings()
                .keep(
                        HealthTrial.CLUSTER,
                        readings.stream()
                                .map(reading -> new CounterReading(
                                        reading.node(),
                                        reading.series(),
                                        reading.at().minus(by),
                                        reading.counts()))
                                .toList());
    }

    private void sortOnDisk() {
        server.execute(
                "postgres",
                "SELECT count(*) FROM (SELECT i FROM generate_series(1, 50000) i ORDER BY md5(i::text)) sorted",
                "SELECT pg_stat_force_next_flush()",
                "SELECT 1");
    }

    private List<String> told() {
        return HealthTrial.findings(trial.look(ANY), "temp-files").stream()
                .map(Wrong::detail)
                .toList();
    }

    private Optional<?> comparedWith() {
        return trial.look().comparedWith().get(HealthTrial.address(server));
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void a_look_is_compared_with_one_of_the_day_before_unless_the_server_has_begun_to_count_anew(int major)
            throws Exception {
        try (TestPostgres started = TestPostgres.start(major, HealthTrial.HEALTHY)) {
            server = started;
            HealthTrial.createMonitor(server);
            server.execute("postgres", "ALTER SYSTEM SET work_mem = '64kB'", "SELECT pg_reload_conf()");
            trial = HealthTrial.of(server).with(new TempFilesCheck(), new CheckpointsCheck());
            sortOnDisk();

            var first = told();
            age(Duration.ofHours(2));
            var soonAfter = told();
            age(Duration.ofHours(24));
            var nothingSince = told();
            sortOnDisk();
            var sinceThen = told();
            server.execute("postgres", "SELECT pg_stat_reset()");
            sortOnDisk();
            var afterAReset = told();
            server.stop();
            server.restart();
            var afterARestart = comparedWith();
            server.kill();
            server.restart();
            var afterACrash = comparedWith();
            age(Duration.ofHours(24));
            server.stop();
            Files.createFile(server.dataDirectory().resolve("standby.signal"));
            server.restart();
            var asAStandby = comparedWith();
            server.execute("postgres", "SELECT pg_promote()");
            var afterAPromotion = comparedWith();

            assertThat(first)
                    .singleElement()
                    .satisfies(detail -> assertThat(detail).endsWith(" since the statistics began"));
            assertThat(soonAfter)
                    .singleElement()
                    .satisfies(detail -> assertThat(detail).endsWith(" since the statistics began"));
            assertThat(nothingSince).isEmpty();
            assertThat(sinceThen)
                    .singleElement()
                    .satisfies(detail -> assertThat(detail).containsPattern(" in 1d since the look at \\d{4}-.* UTC$"));
            assertThat(afterAReset)
                    .singleElement()
                    .satisfies(
                            detail -> assertThat(detail).containsPattern(" in \\d+(ms|s) since the statistics began$"));
            assertThat(afterARestart).isPresent();
            assertThat(List.of(afterACrash, asAStandby, afterAPromotion))
                    .allSatisfy(look -> assertThat(look).isEmpty());
        }
    }
}
