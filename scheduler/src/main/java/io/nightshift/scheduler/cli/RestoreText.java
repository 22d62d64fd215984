package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.restore.RestoreEstimate;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.restore.Throughput;
import io.nightshift.infra.restore.ThroughputFile.Rate;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.wal.WalPath;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Restores as people and programs read them. */
final class RestoreText {

    private RestoreText() {}

    /** What would be done, by what it is about. */
    static Map<String, String> facts(RestorePlan plan, RestoreEstimate estimate, List<String> notes) {
        BackupDocument document = plan.document();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("target", plan.target() + ", which can be reached");
        facts.put(
                "backup",
                document.label() + ", ended " + RunText.time(document.endedAt()) + " at " + document.endLsn() + ", "
                        + Arguments.bytes(document.bytes()) + " (" + Arguments.bytes(document.storedBytes())
                        + " stored)");
        if (document.parent() != null) {
            facts.put(
                    "built on",
                    plan.chain().links().stream()
                            .limit(plan.chain().links().size() - 1)
                            .map(link -> link.label().toString())
                            .collect(Collectors.joining(", ")));
        }
        facts.put("WAL", wal(plan) + ", " + Arguments.bytes(plan.replayedBytes()) + " to replay");
        facts.put("timeline", timelines(plan));
        facts.put(
                "ends at",
                plan.stopsAt() + (plan.newest() == null ? "" : ", with all transactions up to " + plan.newest()));
        facts.put(
                "needs",
                (document.parent() == null ? "" : "at most ") + Arguments.bytes(plan.backupBytes() + plan.walBytes())
                        + " of disk");
        facts.put("time", time(document, estimate));
        notes.forEach(note -> facts.merge("note", note, (one, other) -> one + "; " + other));
        return facts;
    }

    private static String wal(RestorePlan plan) {
        List<WalPath.Step> steps = plan.wal().steps();
        return steps.isEmpty()
                ? "the backup's own"
                : steps.size() + (steps.size() == 1 ? " segment, " : " segments, ")
                        + steps.get(0).segment()
                        + (steps.size() == 1
                                ? ""
                                : " to " + steps.get(steps.size() - 1).segment()) + ", "
                        + Arguments.bytes(plan.storedBytes()) + " stored";
    }

    private static String timelines(RestorePlan plan) {
        List<String> parts = new ArrayList<>();
        plan.lineage()
                .branches()
                .forEach(branch -> parts.add(
                        branch.end() == null
                                ? branch.timeline().toString()
                                : branch.timeline() + " up to " + branch.end()));
        return String.join(", then ", parts);
    }

    /** Says of each part from what it was computed, or that nothing like it was measured. */
    private static String time(BackupDocument document, RestoreEstimate estimate) {
        String replay = estimate.replay()
                .map(part -> "replay " + RunText.duration(part.takes()) + " at "
                        + rate(part.rate(), "recovery", "recoveries"))
                .orElse("replay was not measured here yet");
        return estimate.files()
                .map(part -> {
                    boolean isLeast = part.rate().work() == Throughput.Work.VERIFICATION;
                    return (isLeast ? "at least " : "about ") + RunText.duration(estimate.takes()) + ": files "
                            + RunText.duration(part.takes()) + " at "
                            + (isLeast
                                    ? rate(part.rate(), "verification, no restore yet", "verifications, no restore yet")
                                    : rate(part.rate(), "restore", "restores"))
                            + ", " + replay;
                })
                .orElseGet(() -> "not known: nothing was restored or verified on this machine yet; the backup took "
                        + RunText.duration(Duration.between(document.startedAt(), document.endedAt())));
    }

    private static String rate(Rate rate, String one, String several) {
        return Arguments.bytes(Math.round(rate.bytesPerSecond())) + "/s ("
                + (rate.count() == 1 ? "one " + one : "the last " + rate.count() + " " + several) + " here)";
    }

    static Map<String, Object> json(RestorePlan plan) {
        BackupDocument document = plan.document();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("label", document.label().toString());
        json.put("cluster", document.cluster());
        json.put("target", plan.target().toString());
        json.put("reachable", true);
        json.put("timeline", Integer.toUnsignedLong(plan.lineage().present().id()));
        json.put("stopsAt", plan.stopsAt().toString());
        json.put("newestTransactionAt", plan.newest() == null ? "" : plan.newest());
        json.put(
                "wal",
                plan.wal().steps().stream().map(step -> step.segment().name()).toList());
        json.put("walStoredBytes", plan.storedBytes());
        json.put("replayedBytes", plan.replayedBytes());
        json.put("bytes", plan.backupBytes() + plan.walBytes());
        json.put("notes", plan.notes());
        return json;
    }

    /** With those parts only that are known. */
    static Map<String, Object> json(RestoreEstimate estimate) {
        Map<String, Object> json = new LinkedHashMap<>();
        estimate.files().ifPresent(part -> json.put("files", json(part)));
        estimate.replay().ifPresent(part -> json.put("replay", json(part)));
        return json;
    }

    private static Map<String, Object> json(RestoreEstimate.Part part) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("seconds", part.takes().toMillis() / 1000.0);
        json.put("bytesPerSecond", Math.round(part.rate().bytesPerSecond()));
        json.put("measured", RunText.word(part.rate().work()));
        json.put("measurements", part.rate().count());
        return json;
    }

    static List<Finding> findings(RestorePlan plan, Restored restored) {
        return restored.complaints().stream()
                .map(complaint -> new Finding(
                        "restore/" + plan.document().label() + "/" + complaint,
                        Severity.WARNING,
                        "backup " + plan.document().label(),
                        complaint,
                        "nightshift verify " + plan.document().label() + " names all that is damaged"))
                .toList();
    }

    static void complain(NightshiftCommand top, Restored restored) {
        restored.complaints()
                .forEach(complaint -> top.err().println("nightshift: read from another copy, because of " + complaint));
    }
}
