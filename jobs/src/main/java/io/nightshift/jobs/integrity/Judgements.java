package io.nightshift.jobs.integrity;

import io.nightshift.infra.run.RunId;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Where each run in this process judges. Only in memory: a restart chooses again, and may choose another server. */
final class Judgements {

    private final Map<RunId, Judgement> byRun = new ConcurrentHashMap<>();

    void begin(RunId run, Judgement judgement) {
        byRun.put(run, judgement);
    }

    /** Empty in a dry run. */
    Optional<Judgement> of(RunId run) {
        return Optional.ofNullable(byRun.get(run));
    }

    /** Gives the run's server back; nothing happens if it has none. */
    void end(RunId run) {
        Judgement judgement = byRun.remove(run);
        if (judgement != null) {
            judgement.close();
        }
    }
}
