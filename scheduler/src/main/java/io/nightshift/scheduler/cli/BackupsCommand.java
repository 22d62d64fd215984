package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.KeptCopy;
import io.nightshift.scheduler.Surroundings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "backups", description = "Lists the backups, from the storages alone.")
final class BackupsCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--cluster", paramLabel = "C", description = "only this cluster")
    private @Nullable String cluster;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        BackupList backups = BackupList.of(surroundings, surroundings.configuration(), cluster);
        List<KeptCopy> copies = CopyText.present(
                surroundings.home().restoredCopies(), surroundings.clock().instant(), cluster);
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("backups", backups.json());
            document.put("restorability", backups.restorabilityJson());
            document.put("restoredCopies", copies.stream().map(CopyText::json).toList());
            document.put(
                    "unreachable",
                    backups.failures().stream()
                            .map(NightshiftException::explained)
                            .toList());
            top.print(document);
        } else {
            backups.failures().forEach(failure -> top.err().println("nightshift: " + failure.explained()));
            if (!backups.isEmpty()) {
                backups.print(top.out());
            } else if (backups.failures().isEmpty()) {
                top.out().println("no backups yet");
            }
            copies.forEach(copy -> top.out().println(CopyText.line(copy)));
        }
        return backups.failures().isEmpty() ? 0 : FailureKind.STORAGE_UNAVAILABLE.exitStatus();
    }
}
