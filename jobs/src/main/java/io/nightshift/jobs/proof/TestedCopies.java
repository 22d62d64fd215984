package io.nightshift.jobs.proof;

import io.nightshift.infra.run.RunId;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What each run in this process has restored. Only in memory: what is kept is no copy of the run any more. */
final class TestedCopies {

    private final Map<RunId, TestedCopy> byRun = new ConcurrentHashMap<>();

    void begin(RunId run, TestedCopy copy) {
        byRun.put(run, copy);
    }

    /** Empty where the first step has found that nothing can be restored. */
    Optional<TestedCopy> of(RunId run) {
        return Optional.ofNullable(byRun.get(run));
    }

    /** Throws the run's copy away; nothing happens if it has none. */
    void discard(RunId run) {
        TestedCopy copy = byRun.remove(run);
        if (copy != null) {
            copy.close();
        }
    }
}
