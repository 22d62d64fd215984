package io.nightshift.jobs.verify;

import io.nightshift.infra.backup.BackupChains;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.Restorability.Window;
import io.nightshift.infra.wal.WalLineage;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What damage that nobody can repair takes from a cluster, in words. Pure.
 *
 * @param backups of one system, as they are now
 * @param restorable to what that system can be restored now; empty if to nothing
 * @param present how its newest timeline came to be; empty if nobody knows
 */
record Consequence(List<StoredBackup> backups, Optional<Restorability> restorable, Optional<WalLineage> present) {

    Consequence {
        backups = List.copyOf(backups);
    }

    /** Of a backup that no storage has whole. */
    String ofBackup(StoredBackup damaged) {
        var chains = new BackupChains(backups);
        List<StoredBackup> builtOnIt = backups.stream()
                .filter(backup -> !backup.label().equals(damaged.label()) && builds(chains, backup, damaged))
                .toList();
        return "no storage that answers has it whole, so it cannot be restored"
                + switch (builtOnIt.size()) {
                    case 0 -> "";
                    case 1 -> ", nor can " + builtOnIt.get(0).label() + ", which builds on it";
                    default ->
                        ", nor can the " + builtOnIt.size() + " that build on it, the last of them "
                                + builtOnIt.get(builtOnIt.size() - 1).label();
                }
                + "; "
                + (isCovered(damaged) ? "an older backup and the WAL behind it still lead to its time" : span(damaged));
    }

    private static boolean builds(BackupChains chains, StoredBackup backup, StoredBackup on) {
        try {
            return chains.of(backup).links().stream()
                    .anyMatch(link -> link.label().equals(on.label()));
        } catch (NightshiftException broken) {
            return false;
        }
    }

    private boolean isCovered(StoredBackup damaged) {
        return damaged.document()
                .map(document -> windows().stream()
                        .anyMatch(window -> window.timeline().compareTo(document.timeline()) >= 0
                                && window.from().isBefore(document.endLsn())
                                && document.endLsn().compareTo(window.to()) <= 0))
                .orElse(false);
    }

    private String span(StoredBackup damaged) {
        Instant ended = damaged.document()
                .map(BackupDocument::endedAt)
                .orElse(damaged.label().time());
        Optional<Instant> reached = windows().stream()
                .filter(window -> window.since().isBefore(ended))
                .map(Window::until)
                .max(Comparator.naturalOrder());
        Optional<Instant> next = windows().stream()
                .map(Window::since)
                .filter(since -> since.isAfter(ended))
                .min(Comparator.naturalOrder());
        if (reached.isEmpty()) {
            return next.map(since -> system() + " is restorable from " + second(since) + " on only")
                    .orElse(system() + " is not restorable");
        }
        String after = "no moment after " + second(reached.get()) + " can be reached";
        return next.map(since -> after + " until " + second(since)).orElse(after);
    }

    /**
     * Of a stretch of WAL that no storage has whole.
     *
     * @param lost as a recovery would meet it
     */
    String ofWal(WalRange lost) {
        List<String> needing = backups.stream()
                .filter(backup -> backup.document()
                        .filter(document -> needs(document, lost))
                        .isPresent())
                .map(backup -> backup.label().toString())
                .toList();
        Optional<Window> before = windows().stream()
                .filter(window -> window.timeline().compareTo(lost.timeline()) >= 0
                        && window.to().compareTo(lost.start()) >= 0
                        && window.from().isBefore(lost.end())
                        && window.to().isBefore(lost.end()))
                .findFirst();
        String needed = needing.isEmpty()
                ? ""
                : "; " + String.join(", ", needing) + (needing.size() == 1 ? " needs" : " need")
                        + " it and cannot be restored";
        Optional<WalLineage> elsewhere = present.filter(lineage -> !lineage.passes(lost.timeline(), lost.start()));
        if (elsewhere.isPresent()) {
            return "no storage that answers has it whole: it costs only moments after " + lost.start()
                    + " of the abandoned timeline " + lost.timeline() + ", none of timeline "
                    + elsewhere.get().present() + needed;
        }
        Optional<Window> next = windows().stream()
                .filter(window -> lost.start().isBefore(window.from()))
                .min(Comparator.comparing(Window::from));
        if (before.isEmpty() && needing.isEmpty()) {
            return "no storage that answers has it whole, and no backup leads up to it: "
                    + next.map(window -> system() + " is restorable from " + second(window.since()) + " on only")
                            .orElse(system() + " is not restorable beyond it");
        }
        String moments = before.map(window -> "from the backup of " + second(window.since()) + " on, moments after "
                        + lost.start() + " (stored at " + second(window.until()) + ")")
                .orElse("moments after " + lost.start());
        return "no storage that answers has it whole: " + moments + " cannot be reached "
                + next.map(window ->
                                "until " + second(window.since()) + ", when the next backup ended at " + window.from())
                        .orElse("at all; take a backup")
                + needed;
    }

    private static boolean needs(BackupDocument document, WalRange lost) {
        return document.wal() == BackupDocument.Wal.ARCHIVE
                && document.timeline().equals(lost.timeline())
                && document.startLsn().isBefore(lost.end())
                && lost.start().isBefore(document.endLsn());
    }

    private List<Window> windows() {
        return restorable.map(Restorability::windows).orElse(List.of());
    }

    private String system() {
        return "cluster "
                + backups.stream()
                        .map(StoredBackup::paths)
                        .map(BackupPaths::cluster)
                        .findFirst()
                        .orElse("");
    }

    private static Instant second(Instant moment) {
        return moment.truncatedTo(ChronoUnit.SECONDS);
    }
}
