package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.jobs.integrity.BisectDamageJobType;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.RunHistory.KnownFinding;
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
        name = BisectDamageJobType.NAME,
        description = {
            "Finds the newest backup that is proven clean of a finding of integrity-validation.",
            "It restores some of the backups into scratch space, one at a time, and looks for the same there: the newest first,"
                    + " then half of those that are left go with each one.",
            "Where `nightshift serve` is up, the run is queued there and followed; otherwise, or with --here, this process works it."
        })
final class BisectDamageCommand implements Callable<Integer> {

    /** So many are named when several begin so. */
    private static final int NAMED = 10;

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "FINDING", description = "its key, as reports show it, or the beginning of it")
    private String finding = "";

    @Option(names = "--cluster", paramLabel = "C", description = "the finding of this cluster")
    private @Nullable String cluster;

    @Option(names = "--dry-run", description = "say how many backups would be restored at most")
    private boolean dryRun;

    @Option(names = "--here", description = "work the run in this process, whether or not serve is up")
    private boolean here;

    @Override
    public Integer call() {
        KnownFinding found = known();
        return new Workplace(top, here).work(configuration -> asking(configuration, found));
    }

    private List<Workplace.Asking> asking(Configuration configuration, KnownFinding found) {
        var wish = new ConfiguredJobs.Wish(
                BisectDamageJobType.NAME,
                found.cluster(),
                Map.of(BisectDamageJobType.FINDING, found.key()),
                dryRun,
                null,
                NightshiftCommand.user());
        return new ConfiguredJobs(configuration, top.surroundings().jobTypes())
                .requests(wish).stream()
                        .map(request -> (Workplace.Asking) (requests, node) -> requests.launch(request.onNode(node)))
                        .toList();
    }

    /** The one that begins so; one that is called exactly so comes before those that go on. */
    private KnownFinding known() {
        List<KnownFinding> found = LedgerAtHand.open(top.surroundings())
                .map(ledger -> {
                    try (ledger) {
                        return ledger.history().findings(finding);
                    }
                })
                .orElse(List.of())
                .stream()
                .filter(known -> cluster == null || known.cluster().equals(cluster))
                .toList();
        List<KnownFinding> exactly =
                found.stream().filter(known -> known.key().equals(finding)).toList();
        List<KnownFinding> meant = exactly.isEmpty() ? found : exactly;
        if (meant.isEmpty()) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "no finding's key begins with " + finding + (cluster == null ? "" : " on cluster " + cluster),
                    "what to do about damage names the key; nightshift report --format json shows all of them");
        }
        if (meant.size() > 1) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    meant.size() + " findings begin with " + finding,
                    "say which one: "
                            + meant.stream()
                                    .limit(NAMED)
                                    .map(known -> known.key() + " on cluster " + known.cluster())
                                    .collect(Collectors.joining(", "))
                            + (meant.size() > NAMED ? ", …" : ""));
        }
        return meant.get(0);
    }
}
