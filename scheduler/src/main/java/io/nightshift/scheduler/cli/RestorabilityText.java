package io.nightshift.scheduler.cli;

import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.Restorability.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** To which times a cluster can be restored, in one line. */
final class RestorabilityText {

    private RestorabilityText() {}

    static String line(Restorability restorability) {
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
                + (more > 0 ? "; and " + more + " more" : "") + lost;
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

    static Map<String, Object> json(Restorability restorability) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("cluster", restorability.cluster());
        json.put(
                "windows",
                restorability.windows().stream().map(RestorabilityText::json).toList());
        json.put(
                "lostTimelines",
                restorability.lost().stream()
                        .map(timeline -> Integer.toUnsignedLong(timeline.id()))
                        .toList());
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
