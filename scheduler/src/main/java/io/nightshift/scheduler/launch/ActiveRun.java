package io.nightshift.scheduler.launch;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.ReportDraft;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Timings;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Run;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.scope.context.JobSynchronizationManager;
import org.springframework.batch.infrastructure.item.ExecutionContext;

/**
 * A run that this process works. What steps remember and report is kept in Spring Batch's job execution context, which
 * is stored at the end of each step and given to the next attempt. Thread-safe.
 */
final class ActiveRun implements RunContext {

    private static final String MEMORY = "remembered.";
    private static final String REPORT = "report";
    private static final String REQUESTS = "requests";

    /** Another run that this one asked for. */
    record FollowUp(String jobType, String reason) {}

    private final Run run;
    private final Runnable ownershipCheck;
    private final Lease lease;
    private final SettingsReader settings;
    private final Progress progress = new Progress();
    private final Cancellation cancellation = new Cancellation();
    private final List<FollowUp> followUps = new ArrayList<>();
    private final Map<String, String> memory = new ConcurrentHashMap<>();
    private ReportDraft draft = new ReportDraft();
    private ExecutionContext stored = new ExecutionContext();
    private volatile @Nullable JobExecution execution;
    private volatile boolean working = true;
    private volatile @Nullable String leaving;
    private final Timings timings = new Timings();
    private volatile String step = "";
    private Duration cpuBefore = Duration.ZERO;
    private volatile TimeLimit stepLimit = TimeLimit.NONE;

    /** Turns the stored settings of a run into its job type's record. */
    @FunctionalInterface
    interface SettingsReader {
        <T extends Record> T read(Class<T> type, Map<String, Object> settings);
    }

    ActiveRun(Run run, Lease lease, Consumer<Lease> ownershipCheck, SettingsReader settings) {
        this.run = run;
        this.lease = lease;
        this.ownershipCheck = () -> ownershipCheck.accept(lease);
        this.settings = settings;
    }

    /** Goes on with what an earlier attempt has stored, and stores from now on. */
    synchronized void bind(JobExecution begun) {
        execution = begun;
        ExecutionContext context = begun.getExecutionContext();
        stored = context;
        JobReport earlier =
                Json.readLeniently(context.containsKey(REPORT) ? context.getString(REPORT) : null, JobReport.class);
        if (earlier != null) {
            draft = new ReportDraft(earlier);
        }
        FollowUp[] requested = Json.readLeniently(
                context.containsKey(REQUESTS) ? context.getString(REQUESTS) : null, FollowUp[].class);
        if (requested != null) {
            List.of(requested).forEach(this::ask);
        }
        context.toMap().forEach((key, value) -> {
            if (key.startsWith(MEMORY)) {
                memory.put(key.substring(MEMORY.length()), String.valueOf(value));
            }
        });
    }

    /** Asks the run to stop. Its hooks run on the calling thread and see the run's own context there. */
    void cancel(String reason) {
        JobExecution worked = execution;
        if (worked == null) {
            cancellation.cancel(reason);
            return;
        }
        JobSynchronizationManager.register(worked);
        try {
            cancellation.cancel(reason);
        } finally {
            JobSynchronizationManager.close();
        }
    }

    /**
     * Asks the run to end its attempt at the next boundary of a step, because the process leaves. It is then put back
     * among those that wait.
     */
    void leave(String reason) {
        leaving = reason;
    }

    /** Whether its attempt failed only because this process leaves. */
    boolean isLeftWith(NightshiftException failure) {
        String reason = leaving;
        return reason != null && failure.kind() == FailureKind.CANCELLED && reason.equals(failure.getMessage());
    }

    /** Its work has come to an end, of whatever kind; what is left is to write that down. */
    void hasWorked() {
        working = false;
    }

    boolean works() {
        return working;
    }

    /** A step begins, unless the process leaves; it has the time that the run's terms give it. */
    void stepBegins(String step, ScheduledExecutorService timers) {
        String reason = leaving;
        if (reason != null) {
            throw new NightshiftException(FailureKind.CANCELLED, reason);
        }
        this.step = step;
        timings.begin(step);
        cpuBefore = Timings.cpu();
        Duration limit = run.terms().stepLimit();
        if (limit != null) {
            stepLimit = TimeLimit.arm(
                    timers,
                    limit,
                    () -> cancel("step " + step + " passed its time limit of " + Durations.print(limit)));
        }
    }

    void stepEnds() {
        stepLimit.close();
        Timings.spent(Timings.Kind.CPU, Timings.cpu().minus(cpuBefore));
        timings.end();
        section(timings.section());
    }

    @Override
    public RunId id() {
        return new RunId(run.id());
    }

    @Override
    public String job() {
        return run.job();
    }

    @Override
    public String cluster() {
        return run.cluster();
    }

    @Override
    public String purpose() {
        return "run " + run.id() + " " + run.job() + (step.isEmpty() ? "" : "/" + step);
    }

    @Override
    public Optional<Instant> endsDayAt() {
        Instant startedAt = run.startedAt();
        return run.terms().continuous() && startedAt != null
                ? Optional.of(startedAt.truncatedTo(ChronoUnit.DAYS).plus(1, ChronoUnit.DAYS))
                : Optional.empty();
    }

    @Override
    public String type() {
        return run.type();
    }

    @Override
    public <T extends Record> T settings(Class<T> type) {
        return settings.read(type, run.settings());
    }

    @Override
    public boolean dryRun() {
        return run.dryRun();
    }

    @Override
    public Progress progress() {
        return progress;
    }

    @Override
    public Cancellation cancellation() {
        return cancellation;
    }

    @Override
    public void report(Finding finding) {
        change(report -> report.add(finding));
    }

    @Override
    public void measured(Figure figure) {
        change(report -> report.add(figure));
    }

    @Override
    public void notEvaluated(NotEvaluated gap) {
        change(report -> report.add(gap));
    }

    @Override
    public void leftAlone(String keys) {
        change(report -> report.leaveAlone(keys));
    }

    @Override
    public void section(Section section) {
        change(report -> report.add(section));
    }

    @Override
    public void summary(String line) {
        change(report -> report.summary(line));
    }

    @Override
    public synchronized void remember(String key, String value) {
        memory.put(key, value);
        stored.putString(MEMORY + key, value);
    }

    @Override
    public Optional<String> recall(String key) {
        return Optional.ofNullable(memory.get(key));
    }

    @Override
    public synchronized void forget(String key) {
        memory.remove(key);
        stored.remove(MEMORY + key);
    }

    @Override
    public synchronized void request(String jobType, String reason) {
        ask(new FollowUp(jobType, reason));
        stored.putString(REQUESTS, Json.write(followUps));
    }

    private void ask(FollowUp followUp) {
        if (!followUps.contains(followUp)) {
            followUps.add(followUp);
        }
    }

    @Override
    public void checkOwnership() {
        cancellation.check();
        ownershipCheck.run();
    }

    @Override
    public Lease lease() {
        return lease;
    }

    synchronized JobReport report() {
        return draft.report();
    }

    synchronized List<FollowUp> followUps() {
        return List.copyOf(followUps);
    }

    private synchronized void change(Consumer<ReportDraft> change) {
        change.accept(draft);
        stored.putString(REPORT, Json.write(draft.report()));
    }
}
