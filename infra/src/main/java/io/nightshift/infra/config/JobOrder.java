package io.nightshift.infra.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Checks which job waits for which. */
final class JobOrder {

    private final Map<String, Document> documents;
    private final Problems problems;

    JobOrder(Map<String, Document> documents, Problems problems) {
        this.documents = documents;
        this.problems = problems;
    }

    void check() {
        Map<String, String> waitsFor = new TreeMap<>();
        documents.forEach((job, document) -> after(document).ifPresent(after -> {
            if (documents.containsKey(after)) {
                waitsFor.put(job, after);
            } else {
                add(job, "unknown job" + Nearest.accepted(after, documents.keySet()));
            }
        }));
        Set<String> done = new HashSet<>();
        waitsFor.keySet().forEach(job -> follow(job, waitsFor, done));
    }

    /** As written: whatever else may be wrong with the job. */
    private static Optional<String> after(Document document) {
        return document.content() != null
                        && document.content().get("schedule") instanceof Value.Mapping schedule
                        && schedule.get("after") instanceof Value.Text after
                ? Optional.of(after.text())
                : Optional.empty();
    }

    private void follow(String start, Map<String, String> waitsFor, Set<String> done) {
        List<String> way = new ArrayList<>();
        String job = start;
        while (job != null && done.add(job)) {
            way.add(job);
            job = waitsFor.get(job);
        }
        int begin = job == null ? -1 : way.indexOf(job);
        if (job != null && begin >= 0) {
            List<String> cycle = new ArrayList<>(way.subList(begin, way.size()));
            cycle.add(job);
            add(job, "these jobs wait for each other, so that none ever starts: " + String.join(" → ", cycle));
        }
    }

    private void add(String job, String fact) {
        Document document = documents.get(job);
        if (document != null
                && document.content() != null
                && document.content().get("schedule") instanceof Value.Mapping schedule) {
            problems.add(schedule.at("after"), "schedule.after", fact);
        }
    }
}
