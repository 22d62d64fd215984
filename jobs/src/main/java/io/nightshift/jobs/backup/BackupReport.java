package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.SourceDamage;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.ComparedArchives;
import io.nightshift.infra.backup.Damage;
import io.nightshift.infra.backup.StreamWaits;
import io.nightshift.infra.backup.Verification;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the operator reads in the morning. */
final class BackupReport {

    /** Of one storage, or of one server; the number of the others is told. */
    static final int MOST_FINDINGS = 100;

    private static final String DAMAGE = "damage reported";

    private BackupReport() {}

    static void streamed(RunContext run, BackupDocument document, StreamTimes times) {
        long bytes = document.bytes();
        run.measured(new Figure("bytes", bytes, "bytes"));
        run.measured(new Figure("stored bytes", document.storedBytes(), "bytes"));
        run.measured(new Figure("compression ratio", rounded(ratio(bytes, document.storedBytes())), ""));
        run.measured(new Figure("checkpoint waited for", seconds(times.checkpoint()), "s"));
        run.measured(new Figure("streamed in", seconds(times.stream()), "s"));
        run.measured(new Figure("stream rate", perSecond(bytes, times.stream()), "bytes/s"));
        run.measured(new Figure("waited for the server", seconds(times.waits().server()), "s"));
        run.measured(new Figure("waited for compression", seconds(times.waits().compression()), "s"));
        run.measured(new Figure("waited for the storage", seconds(times.waits().storage()), "s"));
        if (!times.waits().production().isZero()) {
            run.measured(
                    new Figure("yielded to production", seconds(times.waits().production()), "s"));
        }
        run.section(Section.text("what limited the stream", limit(times, BackupSettings.of(run))));
    }

    private static String limit(StreamTimes times, BackupSettings settings) {
        StreamWaits.Limit limit = times.waits().limit(times.stream());
        String what = limit.what().startsWith("server") && settings.maxRate() != null
                ? "server, network or max-rate " + settings.maxRate() + "/s"
                : limit.what();
        return String.format(
                Locale.ROOT, "%s, for %.2f s of %.2f s", what, seconds(limit.time()), seconds(times.stream()));
    }

    /** What a server that sends everything has sent, and how much of it was new; nothing of a full backup. */
    static void compared(RunContext run, ComparedArchives archives) {
        if (archives.comparedBlocks() > 0) {
            run.measured(new Figure("sent by the server", archives.bytes(), "bytes"));
            run.measured(new Figure("blocks compared", archives.comparedBlocks(), "blocks"));
            run.measured(new Figure("blocks changed", archives.changedBlocks(), "blocks"));
        }
    }

    /** A backup that needs no other although its type does; REFUSED where that is not wanted. */
    static void requireFullWanted(RunContext run, BackupType type, List<String> reasons) {
        if (run.settings(ChainedBackupSettings.class).withoutParent() == ChainedBackupSettings.WithoutParent.FAIL) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    type + " backup of cluster " + run.cluster() + " has nothing to build on: "
                            + String.join("; ", reasons),
                    "take a full backup, or set without-parent: full");
        }
    }

    /** What the backup builds on, and what it does not build on. */
    static void parent(RunContext run, @Nullable BackupLabel parent, List<String> reasons) {
        if (parent != null) {
            List<String> lines = new ArrayList<>(List.of(parent.toString()));
            lines.addAll(reasons);
            run.section(Section.text("parent", String.join("\n", lines)));
        } else if (!reasons.isEmpty()) {
            run.section(Section.text("why it is a full backup", String.join("\n", reasons)));
        }
    }

    static void verified(RunContext run, BackupDocument document, Verification verification, Duration took) {
        String storage = verification.storage();
        run.measured(new Figure("files equal to the manifest", verification.files(), "files"));
        run.measured(new Figure("read back from " + storage + " in", seconds(took), "s"));
        run.measured(new Figure("read back rate of " + storage, perSecond(document.bytes(), took), "bytes/s"));
        Map<String, Finding> findings = findings(verification);
        findings.values().forEach(run::report);
        resolve(run, verification.label(), storage, key -> !findings.containsKey(key));
        run.remember(memory(storage), String.join("\n", findings.keySet()));
    }

    private static Map<String, Finding> findings(Verification verification) {
        Map<String, Finding> findings = new LinkedHashMap<>();
        verification.damages().stream()
                .limit(MOST_FINDINGS)
                .map(damage -> finding(verification.storage(), damage))
                .forEach(finding -> findings.putIfAbsent(finding.key(), finding));
        if (verification.damages().size() > MOST_FINDINGS) {
            Finding more = more(verification, verification.damages().size() - MOST_FINDINGS);
            findings.put(more.key(), more);
        }
        verification.digestDamages().stream()
                .map(damage -> unbuildable(verification.storage(), damage))
                .forEach(finding -> findings.put(finding.key(), finding));
        return findings;
    }

    /** What an earlier attempt found, in the backup that it gave up, and this one does not find in its own. */
    private static void resolve(RunContext run, BackupLabel label, String storage, Predicate<String> isGone) {
        run.recall(memory(storage)).stream()
                .flatMap(String::lines)
                .filter(isGone)
                .forEach(key -> run.report(new Finding(
                        key,
                        Severity.WARNING,
                        "backup " + label + " in storage " + storage,
                        "an earlier attempt read back damaged bytes and gave its backup up; this one is whole",
                        "look after the disk of storage " + storage + " and the cables and memory between it and here",
                        Finding.State.RESOLVED)));
    }

    private static Finding more(Verification verification, int number) {
        return new Finding(
                "backup/damage/" + verification.storage() + "/more",
                Severity.CRITICAL,
                "backup " + verification.label() + " in storage " + verification.storage(),
                number + " damages more are not listed",
                "look after the disk of storage " + verification.storage() + ", then run the job again");
    }

    private static String memory(String storage) {
        return DAMAGE + " in " + storage;
    }

    private static Finding finding(String storage, Damage damage) {
        return new Finding(
                "backup/damage/" + storage + "/" + damage.object() + "/" + damage.from() + "/" + damage.path(),
                Severity.CRITICAL,
                damage.object() + " in storage " + storage,
                damage.toString(),
                "look after the disk of storage " + storage + ", then run the job again");
    }

    /** The backup is as good as ever. */
    private static Finding unbuildable(String storage, Damage damage) {
        return new Finding(
                "backup/digests/" + storage,
                Severity.WARNING,
                damage.object() + " in storage " + storage,
                damage + ": the backup can be restored, but not built on from there",
                "look after the disk of storage " + storage + "; the next incremental backup uses another storage's"
                        + " digests, or builds on an older backup, or is a full one");
    }

    static void published(RunContext run, BackupDocument document) {
        run.section(Section.table("backup", List.of("what", "value"), facts(document)));
        run.section(Section.table(
                "archives",
                List.of("object", "tablespace", "size", "stored", "ratio"),
                document.archives().stream().map(BackupReport::row).toList()));
        run.summary(summary(document));
    }

    /** Nothing to compare with is nothing to say. */
    static void compared(RunContext run, BackupDocument document, PastBackups past) {
        past.usualDuration()
                .ifPresent(usual -> run.measured(new Figure(
                        "duration against the usual",
                        rounded(ratio(PastBackups.millis(document), usual.toMillis())),
                        "×")));
        past.usualBytes()
                .ifPresent(usual -> run.measured(
                        new Figure("size against the usual", rounded(ratio(document.bytes(), usual)), "×")));
        past.onLaterTimelineThan(document).ifPresent(later -> run.report(oldTimeline(document, later)));
    }

    private static Finding oldTimeline(BackupDocument document, BackupDocument later) {
        return new Finding(
                "backup/old-timeline",
                Severity.ERROR,
                "backup " + document.label(),
                "its server is on timeline " + document.timeline() + ", but backup " + later.label()
                        + " of the same cluster was taken on timeline " + later.timeline(),
                "find out whether an old primary has come back: shut it down, or make it a standby of the present one");
    }

    static String summary(BackupDocument document) {
        return "backup " + document.label()
                + (document.parent() == null ? "" : " on " + document.parent()) + ": " + size(document.bytes())
                + " stored in "
                + size(document.storedBytes()) + ", read back and equal to "
                + (comparedBlocks(document) ? "its manifest" : "the server's manifest")
                + sourceDamage(document.source().damage());
    }

    /** Then the server's manifest was compared with the whole files as they came, and that of the backup is ours. */
    private static boolean comparedBlocks(BackupDocument document) {
        return document.parent() != null && document.digests() != null;
    }

    /** The server names few pages of each file, and says so. */
    private static String sourceDamage(List<SourceDamage> damage) {
        if (damage.isEmpty()) {
            return "";
        }
        long named = damage.stream().filter(page -> page.block() >= 0).count();
        String more = named < damage.size() ? "more than " : "";
        return "; source-damaged, " + more + named + (named == 1 && more.isEmpty() ? " page" : " pages");
    }

    private static List<List<String>> facts(BackupDocument document) {
        return List.of(
                List.of("label", document.label().toString()),
                List.of("server", "PostgreSQL " + document.source().version()),
                List.of("system identifier", document.systemIdentifier().toString()),
                List.of("timeline", document.timeline().toString()),
                List.of("WAL needed", document.startLsn() + " to " + document.endLsn() + ", included"),
                List.of("checkpoint", document.method().checkpoint()),
                List.of("compression", document.method().compression()),
                List.of("began", document.startedAt().toString()),
                List.of("ended", document.endedAt().toString()));
    }

    private static List<String> row(BackupDocument.Archive archive) {
        return List.of(
                archive.object(),
                archive.tablespace() == null ? "-" : archive.location(),
                size(archive.bytes()),
                size(archive.storedBytes()),
                String.format(Locale.ROOT, "%.1f : 1", ratio(archive.bytes(), archive.storedBytes())));
    }

    private static String size(long bytes) {
        return new DataSize(bytes).rounded();
    }

    private static double ratio(long bytes, long storedBytes) {
        return (double) bytes / Math.max(1, storedBytes);
    }

    private static double rounded(double ratio) {
        return Math.round(ratio * 100) / 100.0;
    }

    private static double seconds(Duration took) {
        return took.toMillis() / 1000.0;
    }

    private static long perSecond(long bytes, Duration took) {
        return Math.round(bytes * 1000.0 / Math.max(1, took.toMillis()));
    }
}
