package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.index.StoredIndexHistory;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.sample.ChanukaWorkload;
import io.nightshift.infra.sample.WorkloadPlan;
import io.nightshift.infra.workload.StoredStatements;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Weeks of the cluster demo in minutes: by day people work on it for a moment, at night its indexes are analysed on a clock
 * that is moved from one to the next, until it is now.
 */
final class DemoNights {

    private static final String JOB = "index-analysis";
    private static final int SESSIONS = 2;
    private static final long TRANSACTIONS_A_DAY = 400;

    /** It ends in the middle, as one does whose values are not unique. */
    private static final String INVALID = "users_display_name_key";

    /** What is small in the sample would not be worth a word in production. */
    private static final Map<String, String> SETTINGS = settings();

    private final NightshiftCommand top;
    private final Surroundings surroundings;
    private final Configuration configuration;
    private final DemoCluster demo;
    private final ControlDatabase controlDatabase;
    private final MovedClock clock;

    DemoNights(
            NightshiftCommand top,
            Surroundings surroundings,
            Configuration configuration,
            DemoCluster demo,
            ControlDatabase controlDatabase) {
        this.top = top;
        this.clock = new MovedClock(surroundings.clock());
        this.surroundings = new Surroundings(
                surroundings.home(),
                surroundings.configDirectory(),
                surroundings.profile(),
                surroundings.environment(),
                surroundings.jobTypes(),
                clock);
        this.configuration = configuration;
        this.demo = demo;
        this.controlDatabase = controlDatabase;
    }

    private static Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("smallest-index", "64kB");
        settings.put("written-rows", "1");
        settings.put("workload.calls", "10");
        settings.put("workload.mean", "0ms");
        settings.put("missing.size", "1MB");
        settings.put("missing.trust-functions", "true");
        return settings;
    }

    /** Plays so many nights, and prints what the last one has found; returns its exit status. */
    int play(int nights) {
        leaveInvalidIndex();
        new StoredIndexHistory(controlDatabase.pool()).forget(DemoCluster.NAME);
        new StoredStatements(controlDatabase.pool()).forget(DemoCluster.NAME);
        @Nullable Run last = null;
        try (Nightshift nightshift = Nightshift.forOwnRuns(surroundings, configuration, controlDatabase)) {
            Cancellation cancellation = new Cancellation();
            top.onSignal(() -> {
                nightshift.cancel("stopped by a signal, as Ctrl-C sends it");
                cancellation.cancel("stopped by a signal, as Ctrl-C sends it");
            });
            nightshift.closeLostRuns();
            for (int night = 1; night <= nights; night++) {
                top.checkSignal();
                clock.moveBehind(Duration.ofDays((long) nights - night));
                last = night(nightshift, night, nights, cancellation);
                if (last.state() != RunState.COMPLETED) {
                    break;
                }
            }
        }
        return show(last, nights);
    }

    private Run night(Nightshift nightshift, int night, int nights, Cancellation cancellation) {
        ChanukaWorkload.run(
                demo::connect,
                WorkloadPlan.everything().connections(SESSIONS).seed(night).transactions(TRANSACTIONS_A_DAY),
                cancellation);
        String told = "night " + night + " of " + nights + ", "
                + clock.instant().atZone(clock.getZone()).toLocalDate();
        Run run = new RunFollower(top, controlDatabase)
                .workSilently(
                        nightshift,
                        nightshift
                                .requests()
                                .launch(new ConfiguredJobs(configuration, surroundings.jobTypes())
                                        .requests(new ConfiguredJobs.Wish(
                                                JOB,
                                                DemoCluster.NAME,
                                                SETTINGS,
                                                false,
                                                null,
                                                "demo, " + told + " on a moved clock"))
                                        .get(0)
                                        .onNode(nightshift.node())));
        if (!top.isJson()) {
            top.err().println(told + ": " + RunText.what(run));
        }
        return run;
    }

    private int show(@Nullable Run last, int nights) {
        if (last == null) {
            throw new IllegalStateException("no night was played");
        }
        if (top.isJson()) {
            top.print(Map.of("nights", nights, "settings", SETTINGS, "run", Json.toMap(last)));
        } else {
            top.out().println();
            top.out()
                    .println(nights + " nights on a moved clock, one a day; the last one is now. " + JOB
                            + " was set to the size of the sample:");
            TextTable table = new TextTable("setting", "value");
            SETTINGS.forEach(table::row);
            table.printRows(top.out(), "  ");
            top.out().println();
            RunText.outcome(top.out(), last);
        }
        Integer status = last.exitStatus();
        return status == null ? FailureKind.BUG.exitStatus() : status;
    }

    private void leaveInvalidIndex() {
        try (Connection connection = demo.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP INDEX IF EXISTS chanuka." + INVALID);
            try {
                statement.execute("CREATE UNIQUE INDEX CONCURRENTLY " + INVALID + " ON chanuka.users (display_name)");
            } catch (SQLException e) {
                if (!SqlStates.UNIQUE_VIOLATION.equals(e.getSQLState())) {
                    throw e;
                }
            }
        } catch (SQLException e) {
            throw SqlStates.failure("invalid index not left in cluster " + DemoCluster.NAME, e);
        }
    }
}
