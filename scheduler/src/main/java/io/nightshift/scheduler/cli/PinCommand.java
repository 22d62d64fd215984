package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupCopy;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.Expiry;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.Surroundings;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Keeps a backup, whatever retention would decide. */
@Command(
        name = "pin",
        description = {
            "Keeps a backup, and all that it builds on, until a time, or ends that with --remove.",
            "The pin lies beside the backup in its storages. A later one replaces it."
        })
final class PinCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "BACKUP", description = "its label, as nightshift backups shows it")
    private String label = "";

    @Option(names = "--reason", paramLabel = "TEXT", description = "why, for whoever finds it later")
    private @Nullable String reason;

    @Option(names = "--for", paramLabel = "90d", description = "how long")
    private @Nullable Duration length;

    @Option(names = "--until", paramLabel = "TIME", description = "until when")
    private @Nullable Instant until;

    @Option(names = "--remove", description = "the backup is kept no longer for this")
    private boolean remove;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        Instant now = surroundings.clock().instant().truncatedTo(ChronoUnit.SECONDS);
        Instant end = end(now);
        BackupSearch search = BackupSearch.of(surroundings, surroundings.configuration(), label);
        // Later than every earlier word, whatever clock that was written by: the newest counts.
        Instant at = search.copies().values().stream()
                .flatMap(copy -> copy.lastPinAt().stream())
                .map(last -> last.plusSeconds(1))
                .filter(now::isBefore)
                .max(Comparator.naturalOrder())
                .orElse(now);
        PinNote note = end == null
                ? PinNote.unpin(BackupLabel.parse(label), at, String.valueOf(reason))
                : PinNote.pin(BackupLabel.parse(label), at, String.valueOf(reason), end);
        List<String> kept = new ArrayList<>();
        List<NightshiftException> failures = new ArrayList<>(search.failures().values());
        for (BackupCopy copy : search.copies().values()) {
            if (!copy.isPublished()) {
                continue;
            }
            try {
                note.write(copy.storage(), copy.paths());
                requireThere(copy);
                kept.add(copy.storage().name());
            } catch (NightshiftException failed) {
                failures.add(failed);
            }
        }
        if (kept.isEmpty()) {
            throw failures.stream()
                    .findFirst()
                    .orElseGet(() -> new NightshiftException(
                            FailureKind.CONFIGURATION,
                            "backup " + label + " is not pinned: no storage holds it",
                            "nightshift backups shows where it is"));
        }
        failures.forEach(failed -> top.err().println("nightshift: " + failed.explained()));
        print(kept, end);
        return failures.isEmpty() ? 0 : FailureKind.STORAGE_UNAVAILABLE.exitStatus();
    }

    /** The other half of {@link Expiry#expire}: who deletes looks for pins after its mark is written. */
    private static void requireThere(BackupCopy copy) {
        BackupLabel label = copy.label();
        if (Expiry.isMarked(copy.storage(), copy.paths(), label)
                || copy.storage()
                        .stat(copy.paths().object(label, BackupPaths.BACKUP_JSON))
                        .isEmpty()) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "backup " + label + " is being deleted from storage "
                            + copy.storage().name(),
                    "retention has let it expire; run the command again, if it is still there it was saved");
        }
    }

    /** Null to remove it. */
    private @Nullable Instant end(Instant now) {
        if (reason == null || reason.isBlank()) {
            throw wrong("no reason is given", "--reason says why, such as \"audit 2026\"");
        }
        int given = (length == null ? 0 : 1) + (until == null ? 0 : 1) + (remove ? 1 : 0);
        if (given != 1) {
            throw wrong(
                    given == 0 ? "no end is given" : "--for, --until and --remove exclude each other",
                    "give one of --for 90d, --until 2027-01-01T00:00:00Z and --remove");
        }
        if (remove) {
            return null;
        }
        Instant end = until != null
                ? until
                : now.plus(length == null ? Duration.ZERO : length).truncatedTo(ChronoUnit.SECONDS);
        if (!end.isAfter(now)) {
            throw wrong("the pin would end at " + end + ", and it is " + now + " now", "choose a later end");
        }
        return end;
    }

    private static NightshiftException wrong(String fact, String hint) {
        return new NightshiftException(FailureKind.CONFIGURATION, fact, hint);
    }

    private void print(List<String> storages, @Nullable Instant end) {
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("label", label);
            document.put("pinnedUntil", end);
            document.put("reason", reason);
            document.put("storages", storages);
            top.print(document);
            return;
        }
        top.out()
                .println("backup " + label
                        + (end == null ? " is pinned no longer: " : " is kept until " + end + ": ") + reason
                        + " (noted in storage " + String.join(" and ", storages) + ")");
    }
}
