package io.nightshift.scheduler.cli;

import io.nightshift.scheduler.watchdog.Condition;
import io.nightshift.scheduler.watchdog.Conditions.Lasting;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the watchdog saw, for people and programs. */
final class ConditionText {

    /** It looks every ten seconds. */
    private static final Duration FRESH = Duration.ofMinutes(2);

    private ConditionText() {}

    static void print(PrintWriter out, List<Lasting> open, Instant now) {
        if (open.isEmpty()) {
            return;
        }
        out.println();
        out.println("What is wrong now");
        open.forEach(lasting -> print(out, lasting, now));
    }

    private static void print(PrintWriter out, Lasting lasting, Instant now) {
        Condition condition = lasting.condition();
        boolean stale = lasting.seenAt().plus(FRESH).isBefore(now);
        out.println("  " + condition.kind() + "  " + condition.subject() + ": " + condition.detail() + " (since "
                + RunText.time(lasting.beganAt())
                + (stale ? ", last looked at " + RunText.time(lasting.seenAt()) + ": nobody serves" : "") + ")");
        out.println("    HINT: " + condition.remedy());
    }

    static Map<String, @Nullable Object> json(Lasting lasting) {
        Condition condition = lasting.condition();
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("kind", condition.kind().toString());
        fields.put("severity", condition.severity().name().toLowerCase(Locale.ROOT));
        fields.put("job", condition.job());
        fields.put("cluster", condition.cluster());
        fields.put("run", condition.run());
        fields.put("subject", condition.subject());
        fields.put("detail", condition.detail());
        fields.put("remedy", condition.remedy());
        fields.put("beganAt", lasting.beganAt());
        fields.put("seenAt", lasting.seenAt());
        fields.put("endedAt", lasting.endedAt());
        return fields;
    }
}
