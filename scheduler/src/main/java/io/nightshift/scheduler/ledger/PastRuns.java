package io.nightshift.scheduler.ledger;

import io.nightshift.infra.run.Finding;
import java.sql.Timestamp;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Puts runs back that a control database has lost, under their numbers where those are free. What real runs have written
 * stays as it is, and what is known is not entered again: neither a run that was put back before, nor a real one that left
 * the same, nor one that housekeeping has counted into its month.
 */
public final class PastRuns {

    /** Any number that no other advisory lock of the control database uses. */
    private static final long LOCK = 0x6e69676874_02L;

    /** Who has entered them. */
    private static final String ACTOR = "catalog rebuild";

    /** The setting of a run that was put back which says what tells of it. */
    private static final String TRACE = "trace";

    /** A number that no ledger has come to: a larger one is not believed. */
    private static final long LARGEST = 1L << 40;

    private final JdbcClient ledger;
    private final TransactionTemplate transaction;

    public PastRuns(DataSource controlDatabase, TransactionTemplate transaction) {
        this.ledger = JdbcClient.create(controlDatabase);
        this.transaction = transaction;
    }

    /** Enters those that are not known, all or none; returns how many they were. */
    public int enter(Collection<PastRun> runs) {
        transaction.executeWithoutResult(status -> countOnBehind(runs));
        return Objects.requireNonNull(transaction.execute(status -> {
            ledger.sql("SELECT set_config('lock_timeout', '1min', true), pg_advisory_xact_lock(:lock)")
                    .param("lock", LOCK)
                    .query((row, number) -> true)
                    .single();
            Set<Trace> known = putBack();
            List<PastRun> lost = runs.stream()
                    .filter(run -> !known.contains(Trace.of(run)) && !hasRun(run))
                    .toList();
            lost.forEach(this::enter);
            return lost.size();
        }));
    }

    private record Trace(String jobType, String cluster, String trace) {

        static Trace of(PastRun run) {
            return new Trace(run.jobType(), run.cluster(), run.trace());
        }
    }

    private Set<Trace> putBack() {
        return ledger.sql("SELECT job_type, cluster, settings ->> :setting AS trace FROM run WHERE actor = :actor")
                .param("setting", TRACE)
                .param("actor", ACTOR)
                .query((row, number) ->
                        new Trace(row.getString("job_type"), row.getString("cluster"), row.getString("trace")))
                .set();
    }

    /** A number means one run for ever: those that follow are counted on behind all of these. */
    public void reserve(Collection<PastRun> runs) {
        transaction.executeWithoutResult(status -> countOnBehind(runs));
    }

    /** Nobody takes a number meanwhile: an insert waits for the table first. */
    private void countOnBehind(Collection<PastRun> runs) {
        long highest = runs.stream().mapToLong(PastRuns::number).max().orElse(0);
        ledger.sql("SET LOCAL lock_timeout = '1min'").update();
        ledger.sql("LOCK TABLE run IN SHARE ROW EXCLUSIVE MODE").update();
        ledger.sql("SELECT setval('run_id_seq', :highest) FROM run_id_seq WHERE last_value < :highest")
                .param("highest", highest)
                .query(Long.class)
                .optional();
    }

    /** 0 for none. */
    private static long number(PastRun run) {
        return run.number() == null || run.number().number() > LARGEST
                ? 0
                : run.number().number();
    }

    private void enter(PastRun run) {
        long id = ledger.sql("""
                        INSERT INTO run (id, job, job_type, cluster, cause, actor, settings, terms, priority, state, reason,
                                         exit_status, report, requested_at, started_at, ended_at, followed)
                        OVERRIDING SYSTEM VALUE
                        VALUES (CASE WHEN :number > 0 AND NOT EXISTS (SELECT FROM run WHERE id = :number)
                                     THEN :number ELSE nextval('run_id_seq') END,
                                :job, :type, :cluster, :cause, :actor, :settings::jsonb, :terms::jsonb, :priority, 'completed',
                                'put back from the storages', :exit, :report::jsonb, :started, :started, :ended, true)
                        RETURNING id
                        """)
                .param("number", number(run))
                .param("job", run.job())
                .param("type", run.jobType())
                .param("cluster", run.cluster())
                .param("cause", Cause.REQUEST.toString())
                .param("actor", ACTOR)
                .param("settings", Json.write(Map.of(TRACE, run.trace())))
                .param("terms", Json.write(RunTerms.ON_DEMAND))
                .param("priority", RunTerms.ON_DEMAND.priority())
                .param("exit", run.report().exitStatus())
                .param("report", Json.write(run.report()))
                .param("started", Timestamp.from(run.startedAt()))
                .param("ended", Timestamp.from(run.endedAt()))
                .query(Long.class)
                .single();
        run.report().findings().forEach(finding -> file(run, id, finding));
    }

    /** Whether a real run has left the same, or housekeeping has counted it into its month. */
    private boolean hasRun(PastRun run) {
        boolean tellsByFinding = number(run) == 0 && !run.report().findings().isEmpty();
        return (tellsByFinding ? hasFinding(run) : ranThen(run)) || isCounted(run);
    }

    /**
     * Whether a real run was there then: the one of that number; without a number any of the type. A job that takes what has
     * changed may have taken a full backup.
     */
    private boolean ranThen(PastRun run) {
        return ledger.sql("""
                        SELECT EXISTS (SELECT FROM run
                                       WHERE (id = :number OR :number = 0)
                                         AND (job_type = :type OR job_type LIKE '%-backup' AND :type LIKE '%-backup')
                                         AND cluster = :cluster AND actor <> :actor AND NOT dry_run
                                         AND state = 'completed'
                                         AND started_at - interval '10 min' <= :at
                                         AND ended_at + interval '10 min' >= :at)
                        """)
                .param("number", number(run))
                .param("type", run.jobType())
                .param("cluster", run.cluster())
                .param("actor", ACTOR)
                .param("at", Timestamp.from(run.endedAt()))
                .query(Boolean.class)
                .single();
    }

    private boolean isCounted(PastRun run) {
        return ledger.sql("""
                        SELECT EXISTS (SELECT FROM run_month
                                       WHERE cluster = :cluster AND job_type = :type
                                         AND month = date_trunc('month', :at::timestamptz AT TIME ZONE 'UTC')::date)
                        """)
                .param("type", run.jobType())
                .param("cluster", run.cluster())
                .param("at", Timestamp.from(run.endedAt()))
                .query(Boolean.class)
                .single();
    }

    /** Of what a finding tells, the finding decides: a run without end covers all times. */
    private boolean hasFinding(PastRun run) {
        return ledger.sql("SELECT EXISTS (SELECT FROM finding WHERE cluster = :cluster AND key IN (:keys))")
                .param("cluster", run.cluster())
                .param(
                        "keys",
                        run.report().findings().stream().map(Finding::key).toList())
                .query(Boolean.class)
                .single();
    }

    private void file(PastRun run, long id, Finding finding) {
        ledger.sql("""
                        INSERT INTO finding (job, cluster, key, severity, subject, detail, remedy, state, first_run, last_run)
                        VALUES (:job, :cluster, :key, :severity, :subject, :detail, :remedy, :state, :run, :run)
                        ON CONFLICT DO NOTHING
                        """)
                .param("job", run.job())
                .param("cluster", run.cluster())
                .param("key", finding.key())
                .param("severity", finding.severity().name().toLowerCase(Locale.ROOT))
                .param("subject", finding.subject())
                .param("detail", finding.detail())
                .param("remedy", finding.remedy())
                .param("state", finding.state().name().toLowerCase(Locale.ROOT))
                .param("run", id)
                .update();
    }
}
