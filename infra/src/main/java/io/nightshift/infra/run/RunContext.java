package io.nightshift.infra.run;

import io.nightshift.infra.lease.Lease;
import java.time.Instant;
import java.util.Optional;

/**
 * A run as its steps see it. What a step remembers and reports here survives its attempt: a restart finds it again.
 */
public interface RunContext {

    RunId id();

    /** What this process owns the run with; its token goes into everything that must not outlive the ownership. */
    Lease lease();

    /** The job's name, or the job type's when it was launched without a configured job. */
    String job();

    /** The name of the job type. */
    String type();

    String cluster();

    /** What its sessions on servers are for, as their names say behind {@code nightshift}: run, job, and step. */
    String purpose();

    /** The settings of this run: the job's own with what the launch changed. */
    <T extends Record> T settings(Class<T> type);

    boolean dryRun();

    /** When a run that never ends by nature ends its day, so that the next one goes on; empty for all others. */
    Optional<Instant> endsDayAt();

    Progress progress();

    Cancellation cancellation();

    /** Adds a finding to the report, visible at once. */
    void report(Finding finding);

    void measured(Figure figure);

    void notEvaluated(NotEvaluated gap);

    default void notEvaluated(String subject, String reason) {
        notEvaluated(new NotEvaluated(subject, reason));
    }

    /**
     * Says what the run had no business with: findings whose keys begin so stay as they are, and it is no gap.
     *
     * @param keys such as {@code integrity/node/10.0.0.5:5432/}
     */
    void leftAlone(String keys);

    void section(Section section);

    /** The report's one line; the last one counts. */
    void summary(String line);

    /** Keeps a value for later steps and attempts; durable when the step ends. */
    void remember(String key, String value);

    Optional<String> recall(String key);

    /** Takes back what was remembered; durable when the step ends, also when it fails. */
    void forget(String key);

    /** Asks for another run on this cluster; it is queued when this run ends. */
    void request(String jobType, String reason);

    /**
     * The last thing before an act that others can see: throws REFUSED if another owner has taken this run over
     * meanwhile.
     */
    void checkOwnership();
}
