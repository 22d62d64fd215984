package io.nightshift.infra.config;

import io.nightshift.infra.run.JobType;
import java.time.ZoneId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads one file of jobs/.
 *
 * @param clusters those that are valid, by name
 * @param clusterNames all that have a file
 * @param cronProblem what is wrong with a cron expression, or empty
 */
record JobReader(
        Map<String, JobType> types,
        Map<String, ClusterConfig> clusters,
        Collection<String> clusterNames,
        ZoneId zone,
        Function<String, Optional<String>> cronProblem,
        Problems problems) {

    Optional<JobConfig> read(Document document, Value.Mapping content) {
        int before = problems.count();
        if (types.containsKey(document.name())) {
            problems.add(
                    new Origin(content.at().file(), 1),
                    "",
                    "job \"" + document.name() + "\" bears the name of a job type; rename the file");
        }
        Optional<JobConfig> job = new RecordBinder(problems)
                .bind(JobFile.class, withZone(withSettings(content)), "")
                .map(file -> new JobConfig(
                        document.name(),
                        file.type(),
                        clusters(file, content),
                        file.schedule(),
                        file.timeout(),
                        file.settings()));
        job.ifPresent(bound -> checkCron(bound, content));
        return problems.count() > before ? Optional.empty() : job;
    }

    /** Puts the job type's own record in the place of the settings as written. */
    private Value.Mapping withSettings(Value.Mapping content) {
        JobType type = type(content);
        Value settings = content.get("settings");
        if (type == null) {
            return with(content, "settings", Substitution.Unresolved.VALUE);
        }
        if (settings != null && !(settings instanceof Value.Mapping)) {
            return content;
        }
        Value.Mapping written = settings instanceof Value.Mapping map ? map : Value.Mapping.empty(content.at());
        Optional<? extends Record> bound = new RecordBinder(problems).bind(type.settings(), written, "settings");
        return with(content, "settings", bound.isPresent() ? bound.get() : Substitution.Unresolved.VALUE);
    }

    private @Nullable JobType type(Value.Mapping content) {
        if (!(content.get("type") instanceof Value.Text text)) {
            return null;
        }
        JobType type = types.get(text.text());
        if (type == null) {
            problems.add(
                    text.at(),
                    "type",
                    text.shown() + " is not accepted; accepted: " + String.join(", ", types.keySet())
                            + Nearest.question(text.text(), types.keySet()));
        }
        return type;
    }

    private Value.Mapping withZone(Value.Mapping content) {
        return content.get("schedule") instanceof Value.Mapping schedule
                        && schedule.has("cron")
                        && !schedule.has("zone")
                ? content.with("schedule", with(schedule, "zone", zone))
                : content;
    }

    private static Value.Mapping with(Value.Mapping content, String key, Object object) {
        return content.with(key, new Value.Known(content.at(key), object));
    }

    private List<String> clusters(JobFile file, Value.Mapping content) {
        if (file.cluster() != null) {
            if (!clusterNames.contains(file.cluster())) {
                problems.add(
                        content.at("cluster"),
                        "cluster",
                        "unknown cluster" + Nearest.accepted(file.cluster(), clusterNames));
            }
            return List.of(file.cluster());
        }
        Map<String, String> selector = file.clusters() == null ? Map.of() : file.clusters();
        List<String> selected = clusters.values().stream()
                .filter(cluster -> cluster.matches(selector))
                .map(ClusterConfig::name)
                .toList();
        // A cluster with problems may be the one that is meant.
        if (selected.isEmpty() && clusters.size() == clusterNames.size()) {
            problems.add(
                    content.at("clusters"),
                    "clusters",
                    "no cluster bears these labels; see labels in the files of clusters/");
        }
        return selected;
    }

    private void checkCron(JobConfig job, Value.Mapping content) {
        if (job.schedule() instanceof Schedule.Cron cron && content.get("schedule") instanceof Value.Mapping schedule) {
            cronProblem
                    .apply(cron.cron())
                    .ifPresent(problem -> problems.add(schedule.at("cron"), "schedule.cron", problem));
        }
    }
}
