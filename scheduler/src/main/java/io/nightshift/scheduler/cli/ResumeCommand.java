package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Pauses.Pause;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "resume",
        description = "Ends the pause of a job, of a cluster, or of everything; give what pause was given.")
final class ResumeCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "JOB", arity = "0..1", description = "a configured job")
    private @Nullable String job;

    @Option(
            names = "--cluster",
            paramLabel = "C",
            description = "only on this cluster; without a job: everything there")
    private @Nullable String cluster;

    @Option(names = "--all", description = "every job on every cluster")
    private boolean all;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        PauseScope scope = PauseScope.of(job, cluster, all, surroundings.configuration());
        Instant now = surroundings.clock().instant();
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            int ended = ledger == null
                    ? 0
                    : ledger.pauses().resume(scope.job(), scope.cluster(), NightshiftCommand.user(), now);
            if (ended == 0) {
                throw nothing(
                        scope, ledger == null ? List.of() : ledger.pauses().at(now));
            }
            if (top.isJson()) {
                top.print(Map.of("resumed", ended));
            } else {
                top.out().println("resumed: " + scope);
            }
        }
        return 0;
    }

    private static NightshiftException nothing(PauseScope scope, List<Pause> others) {
        return new NightshiftException(
                FailureKind.REFUSED,
                scope + " is not paused",
                others.isEmpty()
                        ? "nothing is paused"
                        : "paused are: "
                                + others.stream()
                                        .map(pause -> new PauseScope(pause.job(), pause.cluster()).toString())
                                        .distinct()
                                        .collect(Collectors.joining("; ")));
    }
}
