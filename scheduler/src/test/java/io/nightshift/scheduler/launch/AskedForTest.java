package io.nightshift.scheduler.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import io.nightshift.scheduler.ledger.Cause;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a job asks for while it works, such as a full backup behind a gap of the WAL archive. */
class AskedForTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Installation installation =
            Installation.withOwnControlDatabase().withHeavyRehearsals();
    private ControlDatabase database;
    private Nightshift nightshift;

    @AfterEach
    void close() {
        nightshift.close();
        database.close();
        installation.close();
    }

    /** A heavy job that is due at this time each day, and the run that another job has asked for. */
    private Run askFor(Instant due) {
        var time = due.atZone(ZoneOffset.UTC);
        installation.write("jobs/full.yaml", """
                type: rehearsal
                cluster: stage
                schedule: {cron: "%d %d * * *", zone: UTC}
                """.formatted(time.getMinute(), time.getHour()));
        Rehearsal.write("asks", run -> run.request(Rehearsal.NAME, "a gap"), run -> {});
        database = installation.controlDatabase();
        nightshift = installation.serving(database);
        nightshift.requests().launch(Installation.rehearsal("archive", "asks", null));
        await().atMost(LIMIT).until(() -> !runs().isEmpty());
        return runs().get(0);
    }

    private List<Run> runs() {
        return Installation.runs(database, "full");
    }

    @Test
    void waits_for_the_window_of_its_job_and_says_until_when() {
        Instant due = Instant.now().plus(Duration.ofHours(6)).truncatedTo(ChronoUnit.MINUTES);

        Run asked = askFor(due);

        assertThat(asked.cause()).isEqualTo(Cause.JOB);
        assertThat(asked.actor()).endsWith(" (a gap)");
        assertThat(asked.state()).isEqualTo(RunState.QUEUED);
        assertThat(asked.notBefore()).isEqualTo(due);
        await().atMost(LIMIT).until(() -> runs().get(0).waitingFor() != null);
        assertThat(runs().get(0).waitingFor())
                .startsWith(
                        "begins in the window of its job, at " + due.toString().substring(0, 10));
        assertThatThrownBy(() -> nightshift.requests().launch(Installation.rehearsal("full", "none", null)))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining(": run " + asked.id() + " queued, not before ");
    }

    @Test
    void begins_at_once_inside_the_window() {
        // Late by less than two minutes, which is never too late, whatever day it is.
        Run asked = askFor(Instant.now().minus(Duration.ofSeconds(30)));

        await().atMost(LIMIT).until(() -> runs().get(0).state().hasEnded());
        assertThat(runs().get(0).id()).isEqualTo(asked.id());
        assertThat(runs().get(0).state()).isEqualTo(RunState.COMPLETED);
    }
}
