package io.nightshift.scheduler.monitoring;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.nightshift.infra.metrics.Meters;
import io.nightshift.scheduler.launch.ActiveRuns;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunHistory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells how the newest run of each job ended, from the ledger: what no run of this process could know. */
public final class RunMetrics {

    private static final Logger LOG = LoggerFactory.getLogger(RunMetrics.class);
    private static final int EVERY_SECONDS = 15;

    private final RunHistory history;
    private final MultiGauge lastEnd;
    private final MultiGauge lastDuration;
    private final MultiGauge lastExitStatus;

    public RunMetrics(MeterRegistry meters, RunHistory history, ActiveRuns activeRuns) {
        this.history = history;
        Gauge.builder(Meters.ACTIVE_RUNS, activeRuns, ActiveRuns::count).register(meters);
        lastEnd = MultiGauge.builder(Meters.LAST_END).baseUnit("seconds").register(meters);
        lastDuration =
                MultiGauge.builder(Meters.LAST_DURATION).baseUnit("seconds").register(meters);
        lastExitStatus = MultiGauge.builder(Meters.LAST_EXIT_STATUS).register(meters);
    }

    public void start(ScheduledExecutorService timers) {
        Future<?> unused = timers.scheduleWithFixedDelay(this::refresh, 0, EVERY_SECONDS, TimeUnit.SECONDS);
    }

    private void refresh() {
        try {
            List<Run> ended = history.latestEnded();
            lastEnd.register(
                    rows(ended, run -> run.endedAt() == null ? 0 : run.endedAt().getEpochSecond()), true);
            lastDuration.register(rows(ended, RunMetrics::seconds), true);
            lastExitStatus.register(rows(ended, run -> run.exitStatus() == null ? 0 : run.exitStatus()), true);
        } catch (RuntimeException e) {
            LOG.warn("metrics of runs not refreshed: {}", e.getMessage());
        }
    }

    private static List<MultiGauge.Row<?>> rows(List<Run> runs, Function<Run, Number> value) {
        return runs.stream()
                .<MultiGauge.Row<?>>map(run -> MultiGauge.Row.of(
                        Tags.of(
                                "job",
                                run.job(),
                                "cluster",
                                run.cluster(),
                                "state",
                                run.state().toString()),
                        value.apply(run)))
                .toList();
    }

    private static double seconds(Run run) {
        return run.startedAt() == null || run.endedAt() == null
                ? 0
                : Duration.between(run.startedAt(), run.endedAt()).toMillis() / 1000.0;
    }
}
