package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.ProofNote;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.Restorability.Window;
import io.nightshift.scheduler.report.Amounts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** To which times a cluster can be restored, in one line. */
final class RestorabilityText {

    private RestorabilityText() {}

    static String line(Restorability restorability, Instant now) {
        String cluster = "cluster " + restorability.cluster();
        List<Window> windows = restorability.windows();
        String lost = restorability.lost().isEmpty()
                ? ""
                : "; the history of timeline "
                        + restorability.lost().stream().map(Timeline::toString).collect(Collectors.joining(", "))
                        + " is missing or damaged";
        if (windows.isEmpty()) {
            return cluster + ": not restorable" + lost;
        }
        Timeline present = windows.get(windows.size() - 1).timeline();
        List<String> parts = new ArrayList<>();
        for (int newest = windows.size() - 1; newest >= 0 && parts.size() < 3; newest--) {
            Window window = windows.get(newest);
            boolean isPresent = window.timeline().equals(present);
            parts.add(words(window) + (isPresent ? "" : " (timeline " + window.timeline() + ")"));
        }
        int more = windows.size() - parts.size();
        return cluster + ": restorable " + String.join("; before that ", parts)
                + (more > 0 ? "; and " + more + " more" : "") + lost + proof(restorability.proofs(), now);
    }

    private static String proof(Proofs proofs, Instant now) {
        Proof proven = proofs.proven();
        Proof refuted = proofs.refuted();
        String last = proven == null
                ? ", never proven by doing it"
                : ", last proven by doing it at " + RunText.time(proven.at())
                        + (proofs.isStale(now) ? " (" + Amounts.age(Duration.between(proven.at(), now)) + " ago)" : "")
                        + measured(proven.note());
        return refuted == null
                ? last
                : last + "; the restore test of " + refuted.label() + " at " + RunText.time(refuted.at()) + " failed: "
                        + RunText.shortened(RunText.firstLine(refuted.reason()));
    }

    private static String measured(@Nullable ProofNote note) {
        if (note == null || note.tookSeconds() == null || note.lossSeconds() == null) {
            return "";
        }
        boolean isNothing = note.lossBytes() != null && note.lossBytes() == 0;
        return ", took " + Amounts.seconds(note.tookSeconds()) + ", would lose "
                + (isNothing ? "nothing" : "at most " + Amounts.seconds(note.lossSeconds()));
    }

    static String unknown(String cluster, NightshiftException why) {
        return "cluster " + cluster + ": to which times it can be restored is not known: " + why.getMessage();
    }

    static Map<String, Object> unknownJson(String cluster, NightshiftException why) {
        return Map.of("cluster", cluster, "unknown", String.valueOf(why.getMessage()));
    }

    private static String words(Window window) {
        return window.from().equals(window.to())
                ? "to " + RunText.time(window.since()) + " only, the end of a backup"
                : "from " + RunText.time(window.since()) + " to the last transaction archived by "
                        + RunText.time(window.until());
    }

    static Map<String, @Nullable Object> json(Restorability restorability, Instant now) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("cluster", restorability.cluster());
        json.put(
                "windows",
                restorability.windows().stream().map(RestorabilityText::json).toList());
        json.put(
                "lostTimelines",
                restorability.lost().stream()
                        .map(timeline -> Integer.toUnsignedLong(timeline.id()))
                        .toList());
        Proofs proofs = restorability.proofs();
        json.put("lastProven", json(proofs.proven()));
        json.put("failedSince", json(proofs.refuted()));
        json.put("isProofStale", proofs.isStale(now));
        return json;
    }

    private static @Nullable Map<String, @Nullable Object> json(@Nullable Proof proof) {
        if (proof == null) {
            return null;
        }
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("label", proof.label().toString());
        json.put("at", proof.at());
        ProofNote note = proof.note();
        json.put("tookSeconds", note == null ? null : note.tookSeconds());
        json.put("lossSeconds", note == null ? null : note.lossSeconds());
        json.put("lossBytes", note == null ? null : note.lossBytes());
        json.put(
                "reachedLsn",
                note == null || note.reachedLsn() == null
                        ? null
                        : note.reachedLsn().toString());
        json.put("reachedAt", note == null ? null : note.reachedAt());
        json.put("reason", proof.holds() ? "" : proof.reason());
        return json;
    }

    private static Map<String, Object> json(Window window) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("timeline", Integer.toUnsignedLong(window.timeline().id()));
        json.put("from", window.since());
        json.put("fromLsn", window.from().toString());
        json.put("to", window.until());
        json.put("toLsn", window.to().toString());
        return json;
    }
}
