package io.nightshift.infra.config;

import io.nightshift.infra.run.JobType;
import java.lang.reflect.RecordComponent;
import java.time.ZoneId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads one file of jobs/.
 *
 * @param clusters those that are valid, by name
 * @param clusterNames all that have a file
 * @param calendars all that have a file
 * @param rules for cron expressions
 */
record JobReader(
        Map<String, JobType> types,
        Map<String, ClusterConfig> clusters,
        Collection<String> clusterNames,
        ZoneId zone,
        Collection<String> calendars,
        ScheduleRules rules,
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
                .bind(JobFile.class, withZone(withSettings(withCluster(content))), "")
                .map(file -> new JobConfig(
                        document.name(),
                        file.type(),
                        file.cluster() == null ? selected(file.clusters()) : List.of(file.cluster()),
                        file.schedule(),
                        file.missed(),
                        file.expect(),
                        new JobConfig.Running(
                                file.timeout(), file.stepTimeout(), file.retry(), file.priority(), file.exclusive()),
                        file.settings()));
        checkMissed(content);
        checkContinuous(content);
        checkCalendars(content);
        checkCluster(content);
        checkLabels(content);
        checkCron(content);
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
        checkOneRun(type, written);
        Optional<? extends Record> bound = new RecordBinder(problems).bind(type.settings(), written, "settings");
        bound.ifPresent(record -> checkOtherClusters(type, record, content));
        return with(content, "settings", bound.isPresent() ? bound.get() : Substitution.Unresolved.VALUE);
    }

    private void checkOtherClusters(JobType type, Record settings, Value.Mapping content) {
        new TreeMap<>(type.otherClusters(settings)).forEach((key, cluster) -> {
            if (!clusterNames.contains(cluster)) {
                problems.add(
                        content.at("settings"),
                        "settings." + key,
                        "unknown cluster " + cluster + Nearest.accepted(cluster, clusterNames));
            }
        });
    }

    private void checkOneRun(JobType type, Value.Mapping written) {
        for (RecordComponent setting : type.settings().getRecordComponents()) {
            Describe described = setting.getAnnotation(Describe.class);
            if (described != null && described.oneRun() && written.has(setting.getName())) {
                problems.add(
                        written.at(setting.getName()),
                        "settings." + setting.getName(),
                        "is said of one run, on the command line: nightshift run JOB --cluster C --yes; leave it out");
            }
        }
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
                    text.shown() + " is not accepted" + Nearest.accepted(text.text(), types.keySet()));
        }
        return type;
    }

    /** A job of a type that works on the control database names no cluster. */
    private Value.Mapping withCluster(Value.Mapping content) {
        if (worksOnClusters(content)) {
            return content;
        }
        for (String key : List.of("cluster", "clusters")) {
            if (content.has(key)) {
                problems.add(content.at(key), key, "this job type works on the control database; leave it out");
                return content;
            }
        }
        return with(content, "cluster", JobType.CONTROL_DATABASE);
    }

    private boolean worksOnClusters(Value.Mapping content) {
        JobType type = content.get("type") instanceof Value.Text text ? types.get(text.text()) : null;
        return type == null || type.onClusters();
    }

    private Value.Mapping withZone(Value.Mapping content) {
        return content.get("schedule") instanceof Value.Mapping schedule
                        && (schedule.has("cron") || schedule.has("every"))
                        && !schedule.has("zone")
                ? content.with("schedule", with(schedule, "zone", zone))
                : content;
    }

    private static Value.Mapping with(Value.Mapping content, String key, Object object) {
        return content.with(key, new Value.Known(content.at(key), object));
    }

    private void checkCluster(Value.Mapping content) {
        if (content.get("cluster") instanceof Value.Text cluster && !clusterNames.contains(cluster.text())) {
            problems.add(
                    content.at("cluster"),
                    "cluster",
                    "unknown cluster" + Nearest.accepted(cluster.text(), clusterNames));
        }
    }

    private void checkLabels(Value.Mapping content) {
        if (!(content.get("clusters") instanceof Value.Mapping labels)
                || labels.entries().isEmpty()) {
            return;
        }
        Map<String, String> selector = new TreeMap<>();
        labels.entries().forEach((label, entry) -> {
            if (entry.value() instanceof Value.Text text) {
                selector.put(label, text.text());
            }
        });
        // A cluster with problems may be the one that is meant.
        if (selector.size() == labels.entries().size()
                && clusters.size() == clusterNames.size()
                && selected(selector).isEmpty()) {
            problems.add(
                    content.at("clusters"),
                    "clusters",
                    "no cluster bears these labels; see labels in the files of clusters/");
        }
    }

    private List<String> selected(@Nullable Map<String, String> selector) {
        return selector == null
                ? List.of()
                : clusters.values().stream()
                        .filter(cluster -> cluster.matches(selector))
                        .map(ClusterConfig::name)
                        .toList();
    }

    /** Twenty missed backups are no better than one, and each loads the cluster. */
    private void checkMissed(Value.Mapping content) {
        JobType type = content.get("type") instanceof Value.Text text ? types.get(text.text()) : null;
        if (type != null
                && type.heavy()
                && content.get("missed") instanceof Value.Mapping missed
                && missed.get("policy") instanceof Value.Text policy
                && policy.text().equals("all")) {
            problems.add(
                    missed.at("policy"),
                    "missed.policy",
                    "all is not accepted for " + type.name() + ", which is heavy; accepted: once, skip");
        }
    }

    /** What ends by itself would begin again at once, for ever. */
    private void checkContinuous(Value.Mapping content) {
        JobType type = content.get("type") instanceof Value.Text text ? types.get(text.text()) : null;
        if (type != null
                && !type.isEndless()
                && content.get("schedule") instanceof Value.Text schedule
                && schedule.text().equals("continuous")) {
            problems.add(
                    schedule.at(),
                    "schedule",
                    "continuous is not accepted for " + type.name()
                            + ", whose runs end by themselves; accepted: {cron: …}, {every: …}, {after: job} or none");
        }
    }

    private void checkCalendars(Value.Mapping content) {
        if (content.get("schedule") instanceof Value.Mapping schedule) {
            for (String key : List.of("except", "only")) {
                if (schedule.get(key) instanceof Value.Listing names) {
                    names.elements().forEach(name -> checkCalendar(name, "schedule." + key));
                }
            }
        }
    }

    private void checkCalendar(Value name, String key) {
        if (name instanceof Value.Text text && !calendars.contains(text.text())) {
            problems.add(name.at(), key, "unknown calendar " + text.shown() + Nearest.accepted(text.text(), calendars));
        }
    }

    private void checkCron(Value.Mapping content) {
        if (content.get("schedule") instanceof Value.Mapping schedule
                && schedule.get("cron") instanceof Value.Text cron) {
            rules.cronProblem(cron.text())
                    .ifPresent(problem -> problems.add(schedule.at("cron"), "schedule.cron", problem));
        }
    }
}
