package io.nightshift.scheduler.cli;

import io.nightshift.scheduler.schedule.Plan;
import io.nightshift.scheduler.schedule.PlannedJob;
import io.nightshift.scheduler.schedule.UsualDuration;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A plan as programs read it. */
final class PlanJson {

    private PlanJson() {}

    static Map<String, Object> of(Plan plan, boolean served) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("from", plan.from());
        document.put("until", plan.until());
        document.put("served", served);
        document.put(
                "unaccounted", plan.unaccounted().stream().map(PlanJson::entry).toList());
        document.put("due", plan.due().stream().map(PlanJson::entry).toList());
        document.put("gaps", plan.gaps().stream().map(PlanJson::gap).toList());
        return document;
    }

    private static Map<String, @Nullable Object> entry(Plan.Entry entry) {
        PlannedJob job = entry.of();
        UsualDuration usual = job.usual();
        Instant due = entry.fate().due().at();
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("job", job.job());
        fields.put("type", job.type());
        fields.put("cluster", job.cluster());
        fields.put("due", due);
        fields.put("local", due.atZone(job.zone()).toOffsetDateTime().toString());
        fields.put("zone", job.zone().getId());
        fields.put("begins", entry.begin());
        fields.put("daylightSaving", entry.fate().due().mark());
        fields.put("likely", entry.likely());
        fields.put("reason", entry.reason().isEmpty() ? null : entry.reason());
        fields.put("expectedEnd", entry.end().orElse(null));
        fields.put("medianSeconds", usual == null ? null : seconds(usual.median()));
        fields.put("p95Seconds", usual == null ? null : seconds(usual.p95()));
        fields.put("notes", entry.notes());
        return fields;
    }

    private static Map<String, @Nullable Object> gap(Plan.Gap gap) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("cluster", gap.cluster());
        fields.put("from", gap.from());
        fields.put("until", gap.until());
        fields.put("usualSeconds", seconds(gap.usual()));
        return fields;
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
