package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.catalog.LostRuns;
import io.nightshift.scheduler.catalog.StoredPast;
import io.nightshift.scheduler.ledger.PastRuns;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "catalog",
        description = "Puts back what a lost control database knew of backups.",
        synopsisSubcommandLabel = "rebuild")
final class CatalogCommand implements Runnable {

    /** What no storage knows. */
    private static final List<String> LOST = List.of(
            "runs that left neither a backup nor a proof nor a gap, and the steps and logs of all",
            "pauses: what was paused runs again",
            "which due times were missed until now",
            "findings until their job finds them again, and which of them were suppressed");

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before a command runs
    private NightshiftCommand top;

    /**
     * What became of one cluster.
     *
     * @param storages that answer
     * @param putBack runs that the history has got back
     */
    private record Rebuilt(StoredPast past, List<String> storages, long pins, int putBack) {

        Map<String, @Nullable Object> json() {
            Map<String, @Nullable Object> json = new LinkedHashMap<>();
            json.put("cluster", past.cluster());
            json.put("backups", past.backups().size());
            json.put("proofs", past.proofs().size());
            json.put("pins", pins);
            json.put("gaps", past.gaps().size());
            json.put("runsPutBack", putBack);
            json.put("storages", storages);
            json.put(
                    "unreadable",
                    past.unreadable().stream()
                            .map(backup -> backup.label().toString())
                            .toList());
            json.put(
                    "unreachable",
                    past.away().values().stream()
                            .map(NightshiftException::explained)
                            .toList());
            return json;
        }
    }

    @Override
    public void run() {
        throw new NightshiftException(
                FailureKind.CONFIGURATION, "catalog needs a command", "nightshift catalog rebuild");
    }

    @Command(
            name = "rebuild",
            description = {
                "Reads the storages and puts a run back into the history for each backup, each restore test and each gap in"
                        + " WAL that it does not know, under its old number where that is free. Backups, pins, proofs and gaps"
                        + " themselves lie in the storages and need no rebuilding.",
                "It changes nothing that is there, and a second time it finds nothing to do. It may run beside nightshift serve."
            })
    int rebuild(
            @Option(names = "--cluster", paramLabel = "C", description = "only this cluster") @Nullable
                    String cluster) {
        Surroundings surroundings = top.surroundings();
        Configuration configuration = DemoCluster.storagesIn(surroundings.configuration(), surroundings.home());
        if (cluster != null && !configuration.clusters().containsKey(cluster)) {
            throw ClusterConfig.notConfigured(cluster, configuration.clusters().keySet());
        }
        Map<String, List<Storage>> storages = new TreeMap<>();
        for (String name : cluster == null ? configuration.clusters().keySet() : List.of(cluster)) {
            storages.put(name, BackupList.storagesOf(surroundings, configuration, name));
        }
        List<Rebuilt> rebuilt = rebuild(surroundings, configuration, storages);
        print(rebuilt);
        return rebuilt.stream().allMatch(one -> one.past().away().isEmpty())
                ? 0
                : FailureKind.STORAGE_UNAVAILABLE.exitStatus();
    }

    private List<Rebuilt> rebuild(
            Surroundings surroundings, Configuration configuration, Map<String, List<Storage>> storages) {
        surroundings.home().create();
        Instant now = surroundings.clock().instant();
        var lost = new LostRuns(configuration);
        List<Rebuilt> rebuilt = new ArrayList<>();
        try (ControlDatabase controlDatabase = ControlDatabase.open(
                surroundings.home(), configuration.program().control())) {
            controlDatabase.migrate();
            var runs = new PastRuns(
                    controlDatabase.pool(),
                    new TransactionTemplate(new JdbcTransactionManager(controlDatabase.pool())));
            Map<String, StoredPast> pasts = new TreeMap<>();
            storages.forEach((cluster, places) -> {
                top.checkSignal();
                pasts.put(cluster, StoredPast.of(cluster, places));
            });
            runs.reserve(pasts.values().stream()
                    .flatMap(past -> lost.of(past).stream())
                    .toList());
            storages.forEach((cluster, places) -> {
                StoredPast past = Objects.requireNonNull(pasts.get(cluster));
                rebuilt.add(new Rebuilt(
                        past,
                        places.stream()
                                .map(Storage::name)
                                .filter(name -> !past.away().containsKey(name))
                                .toList(),
                        past.backups().stream()
                                .filter(backup -> backup.pin()
                                        .filter(pin -> pin.pins(now))
                                        .isPresent())
                                .count(),
                        runs.enter(lost.of(past))));
            });
        }
        return rebuilt;
    }

    private void print(List<Rebuilt> rebuilt) {
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("clusters", rebuilt.stream().map(Rebuilt::json).toList());
            document.put("lost", LOST);
            top.print(document);
            return;
        }
        TextTable table = new TextTable("cluster", "backups", "proofs", "pins", "gaps", "runs put back", "read from");
        rebuilt.forEach(one -> table.row(List.of(
                one.past().cluster(),
                Integer.toString(one.past().backups().size()),
                Integer.toString(one.past().proofs().size()),
                Long.toString(one.pins()),
                Integer.toString(one.past().gaps().size()),
                Integer.toString(one.putBack()),
                one.storages().isEmpty() ? "-" : String.join(", ", one.storages()))));
        table.print(top.out());
        rebuilt.forEach(one -> {
            one.past()
                    .unreadable()
                    .forEach(backup -> top.out()
                            .println(backup.label() + " has no readable backup.json: its run is not put back"));
            one.past().away().values().forEach(away -> top.err().println("nightshift: " + away.explained()));
        });
        top.out().println("Not in the storages, and lost with a control database that is gone:");
        LOST.forEach(line -> top.out().println("  " + line));
    }
}
