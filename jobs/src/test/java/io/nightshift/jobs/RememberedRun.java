package io.nightshift.jobs;

import io.nightshift.infra.lease.Lease;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One attempt of a run, kept in memory. What it remembers and reports is what the attempt before it has left. Thread-safe.
 */
public final class RememberedRun implements RunContext {

    private static final AtomicLong NUMBERS = new AtomicLong();

    private final RunId id;
    private final String type;
    private final String cluster;
    private final Record settings;
    private final boolean dryRun;
    private final long token;
    private final Progress progress = new Progress();
    private final Cancellation cancellation = new Cancellation();
    private final Map<String, String> memory = new HashMap<>();
    private final ReportDraft draft;
    private final List<String> requests = new ArrayList<>();
    private volatile Instant dayEnds;

    private RememberedRun(
            RunId id, String type, String cluster, Record settings, boolean dryRun, long token, ReportDraft draft) {
        this.id = id;
        this.type = type;
        this.cluster = cluster;
        this.settings = settings;
        this.dryRun = dryRun;
        this.token = token;
        this.draft = draft;
    }

    /** Of a full backup. */
    public static RememberedRun first(String cluster, Record settings, boolean dryRun) {
        return first("full-backup", cluster, settings, dryRun);
    }

    public static RememberedRun first(String type, String cluster, Record settings, boolean dryRun) {
        return new RememberedRun(
                new RunId(NUMBERS.incrementAndGet()), type, cluster, settings, dryRun, 1, new ReportDraft());
    }

    /** The next attempt of the same run. */
    public synchronized RememberedRun next() {
        var next = new RememberedRun(id, type, cluster, settings, dryRun, token + 1, new ReportDraft(draft.report()));
        next.memory.putAll(memory);
        return next;
    }

    public JobReport report() {
        return draft.report();
    }

    public synchronized List<String> requests() {
        return List.copyOf(requests);
    }

    @Override
    public RunId id() {
        return id;
    }

    @Override
    public Lease lease() {
        return new Lease("run/" + id, "test-node", token);
    }

    @Override
    public String job() {
        return "test";
    }

    @Override
    public String purpose() {
        return "run " + id + " " + job();
    }

    @Override
    public String cluster() {
        return cluster;
    }

    @Override
    public String type() {
        return type;
    }

    /** As the scheduler does, which reads them from JSON. */
    @Override
    public <T extends Record> T settings(Class<T> of) {
        if (settings.getClass() != of) {
            throw new IllegalArgumentException("the settings of " + type + " are no " + of);
        }
        return of.cast(settings);
    }

    @Override
    public Optional<Instant> endsDayAt() {
        return Optional.ofNullable(dayEnds);
    }

    /** From now on its day has ended. */
    public void endDay() {
        dayEnds = Instant.EPOCH;
    }

    @Override
    public boolean dryRun() {
        return dryRun;
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
        draft.add(finding);
    }

    @Override
    public void measured(Figure figure) {
        draft.add(figure);
    }

    @Override
    public void notEvaluated(NotEvaluated gap) {
        draft.add(gap);
    }

    @Override
    public void leftAlone(String keys) {
        draft.leaveAlone(keys);
    }

    @Override
    public void section(Section section) {
        draft.add(section);
    }

    @Override
    public void summary(String line) {
        draft.summary(line);
    }

    @Override
    public synchronized void remember(String key, String value) {
        memory.put(key, value);
    }

    @Override
    public synchronized Optional<String> recall(String key) {
        return Optional.ofNullable(memory.get(key));
    }

    @Override
    public synchronized void forget(String key) {
        memory.remove(key);
    }

    @Override
    public synchronized void request(String jobType, String reason) {
        requests.add(jobType + ": " + reason);
    }

    @Override
    public void checkOwnership() {
        cancellation.check();
    }
}
