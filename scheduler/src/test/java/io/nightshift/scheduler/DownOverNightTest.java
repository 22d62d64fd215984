package io.nightshift.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.launch.ScheduleClock;
import io.nightshift.scheduler.ledger.DueTimes;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.watchdog.Condition;
import io.nightshift.scheduler.watchdog.ConditionKind;
import io.nightshift.scheduler.watchdog.Watchdog;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Nobody serves from 22:00 to 06:00. */
class DownOverNightTest {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final Instant EVENING = Instant.parse("2031-03-10T22:00:00Z");
    private static final Instant MORNING = Instant.parse("2031-03-11T06:00:00Z");

    private static void job(Installation installation, String name, String schedule, String missed) {
        installation.write("jobs/" + name + ".yaml", """
                        type: rehearsal
                        cluster: stage
                        schedule: %s
                        missed: %s
                        """.formatted(schedule, missed));
    }

    private static void lastAccountOfTheEvening(Installation installation, ControlDatabase database) {
        Surroundings surroundings = installation.surroundings();
        DueTimes dueTimes = new DueTimes(database.pool(), new Requests(database.pool()), new Pauses(database.pool()));
        new TransactionTemplate(new JdbcTransactionManager(database.pool()))
                .executeWithoutResult(
                        status -> new ConfiguredJobs(surroundings.configuration(), surroundings.jobTypes())
                                .scheduled()
                                .forEach(job -> dueTimes.account(job, EVENING)));
    }

    private static List<Run> runs(ControlDatabase database, String job) {
        return new RunHistory(database.pool())
                .runs(RunFilter.newest(1_000).ofJob(job)).stream()
                        .sorted(java.util.Comparator.comparing(Run::due))
                        .toList();
    }

    private static Instant at(String time) {
        return Instant.parse("2031-03-11T" + time + ":00Z");
    }

    @Test
    void makes_up_for_the_night_as_each_job_wants_it_and_begins_no_more_than_that() {
        try (Installation installation = Installation.withOwnControlDatabase()) {
            job(installation, "frequent", "{every: 15m}", "{policy: once}");
            job(installation, "nightly", "{cron: \"0 3 * * *\"}", "{policy: once, max-lateness: 4h}");
            job(installation, "too-late", "{cron: \"0 0 * * *\"}", "{policy: once, max-lateness: 4h}");
            job(installation, "skipped", "{cron: \"0 4 * * *\"}", "{policy: skip}");
            job(installation, "each", "{cron: \"0 */4 * * *\"}", "{policy: all}");
            try (ControlDatabase database = installation.controlDatabase()) {
                lastAccountOfTheEvening(installation, database);
                Clock clock = Clock.offset(
                        Clock.systemUTC(), Duration.between(Clock.systemUTC().instant(), MORNING));

                try (Nightshift nightshift = installation.serving(database, clock)) {
                    await().atMost(LIMIT).until(() -> {
                        nightshift.part(ScheduleClock.class).accountForAll();
                        return runs(database, "each").size() == 2
                                && Installation.sql(database)
                                        .sql("SELECT NOT EXISTS (SELECT FROM run WHERE ended_at IS NULL)")
                                        .query(Boolean.class)
                                        .single();
                    });

                    assertEachJobGotWhatItWants(database);
                    assertThat(nightshift.part(Watchdog.class).look().conditions())
                            .filteredOn(condition -> condition.kind() == ConditionKind.MISSED)
                            .extracting(Condition::job)
                            .containsExactlyInAnyOrder("too-late", "skipped");
                }
            }
        }
    }

    private static void assertEachJobGotWhatItWants(ControlDatabase database) {
        List<Run> frequent = runs(database, "frequent");
        assertThat(frequent).hasSize(32);
        assertThat(frequent.subList(0, 31)).allSatisfy(run -> {
            assertThat(run.state()).isEqualTo(RunState.MISSED);
            assertThat(run.reason())
                    .isEqualTo("missed (covered by run " + frequent.get(31).id() + ")");
        });
        assertThat(frequent.get(31).state()).isEqualTo(RunState.COMPLETED);
        assertThat(runs(database, "nightly"))
                .extracting(Run::due, Run::state)
                .containsExactly(tuple(at("03:00"), RunState.COMPLETED));
        assertThat(runs(database, "too-late"))
                .extracting(Run::state, Run::reason)
                .containsExactly(tuple(RunState.MISSED, "nobody was there at its time; 6h late is later than its 4h"));
        assertThat(runs(database, "skipped"))
                .extracting(Run::state, Run::reason)
                .containsExactly(tuple(
                        RunState.MISSED, "nobody was there at its time; missed ones of this job are not made up for"));
        assertThat(runs(database, "each"))
                .extracting(Run::due, Run::state)
                .containsExactly(tuple(at("00:00"), RunState.COMPLETED), tuple(at("04:00"), RunState.COMPLETED));
    }
}
