package io.nightshift.infra.config;

import io.nightshift.infra.run.JobType;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The files of a configuration directory, as they are to be read now.
 *
 * @param directory holds nightshift.yaml, clusters/, storages/, calendars/, jobs/, rules/ and profiles/
 * @param home the home folder, which {@code ${NIGHTSHIFT_HOME}} stands for
 * @param profile a folder of profiles/ that mirrors the directory and is laid over it: maps merge, lists are replaced
 * @param environment the variables that files may name
 */
public record ConfigurationFiles(
        Path directory, Path home, @Nullable String profile, Map<String, String> environment) {

    public ConfigurationFiles {
        Map<String, String> withHome = new HashMap<>(environment);
        withHome.put("NIGHTSHIFT_HOME", home.toAbsolutePath().normalize().toString());
        environment = Map.copyOf(withHome);
    }

    /**
     * The whole configuration, valid.
     *
     * @param jobTypes those that can be configured
     * @param rules for cron expressions and iCalendar files
     * @throws io.nightshift.infra.resilience.NightshiftException CONFIGURATION with every problem of every file; only
     *     what cannot be judged waits: the rest of a file that is no YAML, the settings of an unknown job type, and labels
     *     while a cluster that may bear them is wrong
     */
    public Configuration load(Collection<JobType> jobTypes, ScheduleRules rules) {
        return check(jobTypes, rules).orThrow();
    }

    /** The same, with the problems as a list; never throws because of what is in the files. */
    public ConfigurationResult check(Collection<JobType> jobTypes, ScheduleRules rules) {
        return check(jobTypes, rules, Map.of());
    }

    /**
     * The same, where jobs may also name clusters that no file configures.
     *
     * @param known by name; a file of the same name comes first
     */
    public ConfigurationResult check(
            Collection<JobType> jobTypes, ScheduleRules rules, Map<String, ClusterConfig> known) {
        var problems = new Problems();
        ConfigurationFolder folder = ConfigurationFolder.read(directory, profile, problems);
        folder.replaceVariables(new Substitution(environment, problems));
        return new Reading(folder, problems).read(jobTypes, rules, known);
    }

    /** Never shows the environment. */
    @Override
    public String toString() {
        return "ConfigurationFiles[" + directory + "]";
    }

    /** One pass over all documents: program, storages, clusters, jobs, rules; each may name those before it. */
    private final class Reading {

        private final ConfigurationFolder folder;
        private final Problems problems;
        private final List<ConfigurationView.Entry> view = new ArrayList<>();

        Reading(ConfigurationFolder folder, Problems problems) {
            this.folder = folder;
            this.problems = problems;
        }

        ConfigurationResult read(Collection<JobType> jobTypes, ScheduleRules rules, Map<String, ClusterConfig> known) {
            Optional<ProgramSettings> program = program();
            Map<String, StorageConfig> storages = storages();
            Map<String, Document> clusterDocuments = clusterDocuments();
            Map<String, ClusterConfig> clusters = clusters(clusterDocuments);
            Set<String> clusterNames = new TreeSet<>(clusterDocuments.keySet());
            known.forEach((name, cluster) -> {
                if (clusterNames.add(name)) {
                    clusters.put(name, cluster);
                }
            });
            ZoneId zone = program.map(ProgramSettings::zone).orElse(ZoneOffset.UTC);
            Map<String, CalendarConfig> calendars = calendars(
                    new CalendarReader(directory.resolve(ConfigurationFolder.CALENDARS), zone, rules, problems));
            Map<String, JobType> types = new TreeMap<>();
            jobTypes.forEach(type -> types.put(type.name(), type));
            var reader = new JobReader(
                    types,
                    clusters,
                    clusterNames,
                    zone,
                    folder.documents(ConfigurationFolder.CALENDARS).keySet(),
                    rules,
                    problems);
            Map<String, JobConfig> jobs = jobs(reader, types);
            Rules ofRows = rules(new RulesReader(clusterNames, problems));
            Passwords.of(environment)
                    .complaint()
                    .ifPresent(complaint -> problems.warn(Origin.ENVIRONMENT, "PGPASSFILE", complaint));
            return new ConfigurationResult(
                    program.filter(valid -> problems.count() == 0)
                            .map(valid -> new Configuration(valid, clusters, storages, calendars, jobs, ofRows))
                            .orElse(null),
                    problems.sorted(),
                    problems.sortedWarnings(),
                    new ConfigurationView(view));
        }

        private Optional<ProgramSettings> program() {
            Document document = folder.program()
                    .orElseGet(() -> new Document(
                            "",
                            ConfigurationFolder.PROGRAM,
                            Value.Mapping.empty(new Origin(ConfigurationFolder.PROGRAM + ".yaml", 0)),
                            List.of("default")));
            Optional<ProgramSettings> program = new ProgramReader(environment, problems).read(document);
            program.ifPresent(settings -> view.add(ConfigurationView.entry(document, settings, Map.of())));
            return program;
        }

        private Map<String, StorageConfig> storages() {
            Map<String, StorageConfig> storages = new TreeMap<>();
            var reader = new StorageReader(problems);
            for (Document document :
                    folder.documents(ConfigurationFolder.STORAGES).values()) {
                content(document)
                        .flatMap(content -> reader.read(document, content))
                        .ifPresent(storage -> {
                            storages.put(document.name(), storage);
                            view.add(ConfigurationView.entry(
                                    document, (Record) storage, Map.of("type", storage.type())));
                        });
            }
            return storages;
        }

        private Map<String, CalendarConfig> calendars(CalendarReader reader) {
            Map<String, CalendarConfig> calendars = new TreeMap<>();
            for (Document document :
                    folder.documents(ConfigurationFolder.CALENDARS).values()) {
                content(document)
                        .flatMap(content -> reader.read(document, content))
                        .ifPresent(calendar -> {
                            calendars.put(document.name(), calendar);
                            view.add(ConfigurationView.entry(document, calendar, Map.of()));
                        });
            }
            return calendars;
        }

        private Rules rules(RulesReader reader) {
            Map<String, Rules.OfFile> files = new TreeMap<>();
            for (Document document : folder.documents(ConfigurationFolder.RULES).values()) {
                content(document)
                        .flatMap(content -> reader.read(document, content))
                        .ifPresent(read -> {
                            files.put(document.name(), read.rules());
                            view.add(ConfigurationView.entry(document, read.file(), Map.of()));
                        });
            }
            return new Rules(files);
        }

        private ClusterReader clusterReader() {
            return new ClusterReader(
                    folder.documents(ConfigurationFolder.STORAGES).keySet(), environment, problems);
        }

        /** Those of the files; without any but the control database, also the one of the environment. */
        private Map<String, Document> clusterDocuments() {
            Map<String, Document> files = folder.documents(ConfigurationFolder.CLUSTERS);
            if (!Set.of(JobType.CONTROL_DATABASE).containsAll(files.keySet())) {
                return files;
            }
            Map<String, Document> documents = new TreeMap<>(files);
            clusterReader().fromEnvironment().ifPresent(document -> documents.put(document.name(), document));
            return documents;
        }

        private Map<String, ClusterConfig> clusters(Map<String, Document> documents) {
            Map<String, ClusterConfig> clusters = new TreeMap<>();
            for (Document document : documents.values()) {
                content(document)
                        .flatMap(content -> clusterReader().read(document, content))
                        .ifPresent(cluster -> {
                            clusters.put(document.name(), cluster);
                            view.add(ConfigurationView.entry(document, cluster, Map.of()));
                        });
            }
            return clusters;
        }

        private Map<String, JobConfig> jobs(JobReader reader, Map<String, JobType> types) {
            Map<String, Document> documents = folder.documents(ConfigurationFolder.JOBS);
            Map<String, JobConfig> jobs = new TreeMap<>();
            for (Document document : documents.values()) {
                content(document)
                        .flatMap(content -> reader.read(document, content))
                        .ifPresent(job -> {
                            checkOnlyOne(document, job, jobs, types);
                            jobs.put(document.name(), job);
                            view.add(ConfigurationView.entry(document, job, Map.of()));
                        });
            }
            new JobOrder(documents, problems).check();
            return jobs;
        }

        private void checkOnlyOne(
                Document document, JobConfig job, Map<String, JobConfig> others, Map<String, JobType> types) {
            JobType type = types.get(job.type());
            if (type == null || !type.isOnlyOne()) {
                return;
            }
            for (JobConfig other : others.values()) {
                job.clusters().stream()
                        .filter(cluster -> other.type().equals(job.type())
                                && other.clusters().contains(cluster))
                        .findFirst()
                        .ifPresent(cluster -> problems.add(
                                content(document).orElseThrow().at("type"),
                                "type",
                                "cluster " + cluster + " has job " + other.name() + " of type " + job.type()
                                        + "; a second one would undo its work"));
            }
        }

        private Optional<Value.Mapping> content(Document document) {
            return Optional.ofNullable(document.content());
        }
    }
}
