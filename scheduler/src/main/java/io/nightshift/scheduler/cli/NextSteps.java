package io.nightshift.scheduler.cli;

import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What an operator should do about a run that did not complete, one sentence a line. */
final class NextSteps {

    private static final String HINT = "HINT: ";

    private NextSteps() {}

    /**
     * @param onCluster whether its job type works on clusters, so that one must be named
     * @param newest of the job's runs on this cluster
     * @param nextDue of the job; null when it has no schedule or none is known
     */
    static List<String> of(Run run, boolean onCluster, Run newest, @Nullable Instant nextDue) {
        if (!run.state().hasEnded() || run.state() == RunState.COMPLETED) {
            return List.of();
        }
        List<String> steps = new ArrayList<>();
        if (newest.id() != run.id() && newest.state() == RunState.COMPLETED) {
            return List.of("nothing: run " + newest.id() + " of the same job completed "
                    + (newest.endedAt() == null ? "later" : RunText.time(newest.endedAt())));
        }
        hint(run).ifPresent(steps::add);
        who(run).ifPresent(steps::add);
        if (newest.id() != run.id() && !newest.state().hasEnded()) {
            steps.add("run " + newest.id() + " of the same job is " + newest.state() + " already: nightshift show "
                    + newest.id());
        } else {
            steps.add(again(run, onCluster));
            if (nextDue != null) {
                steps.add("otherwise it is due next " + RunText.time(nextDue));
            }
        }
        return steps;
    }

    /** What has had an attempt can go on; everything else begins anew. */
    private static String again(Run run, boolean onCluster) {
        String anew = "nightshift run " + run.job() + (onCluster ? " --cluster " + run.cluster() : "");
        return run.startedAt() != null && (run.state() == RunState.FAILED || run.state() == RunState.STOPPED)
                ? "then go on at the step that did not finish: nightshift restart " + run.id() + "; or begin anew: "
                        + anew
                : "then run it again: " + anew;
    }

    private static Optional<String> hint(Run run) {
        return Optional.ofNullable(run.reason()).stream()
                .flatMap(String::lines)
                .filter(line -> line.startsWith(HINT))
                .map(line -> line.substring(HINT.length()))
                .findFirst();
    }

    private static Optional<String> who(Run run) {
        Integer status = run.exitStatus();
        return Optional.ofNullable(
                switch (status == null ? 0 : status) {
                    case 2 ->
                        "as it is configured it will fail again: the configuration, a password or a privilege has to change";
                    case 3 -> "data is damaged: look at it before anything overwrites or expires a good copy";
                    case 5 -> "PostgreSQL or a storage was not reachable: see that it is before running again";
                    case 7 -> "it was stopped on purpose or by its time limit; nothing is broken by that";
                    default -> null;
                });
    }
}
