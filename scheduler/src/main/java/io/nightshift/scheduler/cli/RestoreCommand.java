package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.restore.TableRestore;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.RunState;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "restore",
        description = {
            "Restores a cluster into a directory, to the end of the archived WAL or to a target before it. Works from the"
                    + " storages alone. Whether the target can be reached is read from the WAL before anything is written.",
            "The result is inert: a server on it listens on loopback only, archives nothing, follows nobody, subscribes to"
                    + " nothing and preloads nothing. --as-replacement keeps the source's settings instead.",
            "A restore that was cut off leaves a directory on which no server starts; the same command goes on with it.",
            "--table and --database write files instead: the cluster is restored beside them for a while, as large as it is,"
                    + " and read by pg_dump, or by COPY where there is none of its version or newer."
        })
final class RestoreCommand implements Callable<Integer> {

    private static final String LATEST = "latest";
    private static final int WORKERS = 2;

    /** What recovery goes to; one of them, or none. */
    static final class Target {

        @Option(
                names = "--target-time",
                paramLabel = "T",
                required = true,
                description = "before the first transaction that ended later, such as \"2026-11-27 09:14:00+03\" or"
                        + " 2026-11-27T06:14:00Z; with its zone")
        private @Nullable Moment time;

        @Option(
                names = "--target-lsn",
                paramLabel = "L",
                required = true,
                description = "the record there, such as 16/3002D50")
        private @Nullable Lsn lsn;

        @Option(
                names = "--target-name",
                paramLabel = "N",
                required = true,
                description = "a restore point, as pg_create_restore_point makes one")
        private @Nullable String name;

        @Option(names = "--target-xid", paramLabel = "X", required = true, description = "the end of a transaction")
        private @Nullable Long xid;

        @Option(
                names = "--target-immediate",
                required = true,
                description = "the end of the backup, as soon as it is consistent")
        private boolean immediate;

        RestoreTarget target(boolean inclusive) {
            if (time != null) {
                return new RestoreTarget.AtTime(time.instant(), inclusive);
            }
            if (lsn != null) {
                return new RestoreTarget.AtLsn(lsn, inclusive);
            }
            if (xid != null) {
                return new RestoreTarget.AtXid(xid, inclusive);
            }
            return name != null ? new RestoreTarget.AtName(name) : new RestoreTarget.Immediate();
        }
    }

    /** A time as people and PostgreSQL write it, with its zone. */
    record Moment(Instant instant) {

        private static final DateTimeFormatter FORMAT = new DateTimeFormatterBuilder()
                .append(DateTimeFormatter.ISO_LOCAL_DATE)
                .appendPattern("['T'][' ']")
                .append(DateTimeFormatter.ISO_LOCAL_TIME)
                .appendPattern("[' ']")
                .appendPattern("[XXX][XX][X]")
                .toFormatter(Locale.ROOT);

        static Moment parse(String text) {
            try {
                return new Moment(OffsetDateTime.parse(text.strip(), FORMAT).toInstant());
            } catch (DateTimeParseException e) {
                throw new TypeConversionException("\"" + text
                        + "\" is not a time with its zone; accepted: \"2026-11-27 09:14:00+03\", 2026-11-27T06:14:00Z");
            }
        }
    }

    static RestoreTimeline timeline(String text) {
        try {
            return switch (text) {
                case LATEST -> new RestoreTimeline.Latest();
                case "current" -> new RestoreTimeline.OfBackup();
                default -> new RestoreTimeline.Given(Timeline.parse(text));
            };
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(
                    "\"" + text + "\" is not a timeline; accepted: latest, current, or its number");
        }
    }

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(
            paramLabel = "BACKUP",
            description =
                    "its label, as nightshift backups shows it, or latest: the newest one that leads to the target")
    private String label = "";

    @Option(names = "--cluster", paramLabel = "C", description = "with latest: whose backup")
    private @Nullable String cluster;

    @Option(
            names = "--to",
            paramLabel = "DIR",
            description = "the data directory: absent or empty, or left by the same restore when it was cut off")
    private @Nullable String to;

    @ArgGroup
    private @Nullable Target target;

    @Option(
            names = "--target-exclusive",
            description = "stop just before the target: with --target-time, --target-lsn and --target-xid")
    private boolean exclusive;

    @Option(
            names = "--target-timeline",
            paramLabel = "latest|current|N",
            defaultValue = LATEST,
            description = "which timeline recovery follows; current is the backup's (default: ${DEFAULT-VALUE})")
    private RestoreTimeline timeline = new RestoreTimeline.Latest();

    @Option(
            names = "--target-action",
            paramLabel = "promote|pause|shutdown",
            description = "what the server does at the target: open for writing (the default), wait for"
                    + " pg_wal_replay_resume() while it can be read, or end")
    private RestorePlan.Action action = RestorePlan.Action.PROMOTE;

    @Option(
            names = "--preview",
            description = "say what would be done, and whether the target can be reached; write nothing")
    private boolean preview;

    @Option(
            names = "--delta",
            description =
                    "into a data directory of this cluster whose server is down: files equal to the backup's stay,"
                            + " everything else in it is replaced or removed")
    private boolean delta;

    @Option(names = "--yes", description = "with --delta: do not ask")
    private boolean yes;

    @Option(
            names = "--as-replacement",
            description =
                    "for a server that takes the source's place: keep its settings, and print what to look at first")
    private boolean asReplacement;

    @Option(
            names = "--tablespace",
            paramLabel = "OID=DIR",
            description = "where a tablespace goes that lay outside the data directory; once for each of them")
    private Map<String, Path> tablespaces = new LinkedHashMap<>();

    @Option(
            names = "--table",
            paramLabel = "NAME[,NAME]",
            description =
                    "only these tables, as files in --to; with their schemas where several have one of that name, and"
                            + " quoted as in SQL")
    private List<String> tables = List.of();

    @Option(
            names = "--database",
            paramLabel = "D",
            description = "all of this database as files in --to, or the one whose --table is meant")
    private @Nullable String database;

    @Option(
            names = "--storage",
            paramLabel = "DIR",
            description =
                    "read this storage directory and no configuration, as on a machine where nothing else is left")
    private @Nullable Path storage;

    @Override
    public Integer call() {
        requireSensible();
        Surroundings surroundings = top.surroundings();
        RestorableCluster source;
        StoredBackup only;
        if (storage != null) {
            List<Storage> storages = List.of(new DirectoryStorage("storage", storage.toAbsolutePath()));
            List<StoredBackup> all = new BackupCatalog(storages).backups();
            only = only(all);
            String name = only == null ? theCluster(all) : only.paths().cluster();
            source = RestorableCluster.of(name, storages, of(name, all), only);
        } else {
            var configuration = surroundings.configuration();
            BackupList list = BackupList.of(surroundings, configuration, cluster);
            only = label.equals(LATEST) ? null : list.find(label);
            String name =
                    only == null ? theCluster(list.backups()) : only.paths().cluster();
            source = RestorableCluster.of(
                    name, BackupList.storagesOf(surroundings, configuration, name), of(name, list.backups()), only);
        }
        RestoreTarget wanted = target == null ? new RestoreTarget.Latest() : target.target(!exclusive);
        RestorePlan plan = source.plan(only, wanted, timeline);
        if (preview) {
            preview(plan);
            return 0;
        }
        if (isExtract()) {
            return new RestoredTables(top, surroundings, source, plan, wanted(), directory()).call();
        }
        if (delta && !yes) {
            top.confirm("everything in " + directory() + " that is not in backup "
                    + plan.document().label() + " will be lost");
        }
        return restore(surroundings, source, plan);
    }

    private void requireSensible() {
        if (exclusive && (target == null || target.name != null || target.immediate)) {
            throw usage(
                    "--target-exclusive has nothing to exclude",
                    "use it with --target-time, --target-lsn or --target-xid");
        }
        if (to == null && !preview) {
            throw usage("--to is missing: where the data directory is to be", "--preview needs none");
        }
        if (isExtract()) {
            requireSensibleExtract();
        }
    }

    private boolean isExtract() {
        return database != null || !tables.isEmpty();
    }

    private void requireSensibleExtract() {
        if (delta || asReplacement || !tablespaces.isEmpty() || action != RestorePlan.Action.PROMOTE) {
            throw usage(
                    "--table and --database write files, and leave no data directory",
                    "leave out "
                            + (delta
                                    ? "--delta"
                                    : asReplacement
                                            ? "--as-replacement"
                                            : tablespaces.isEmpty() ? "--target-action" : "--tablespace"));
        }
        wanted();
    }

    private TableRestore.Wanted wanted() {
        try {
            return new TableRestore.Wanted(
                    database,
                    tables.stream()
                            .flatMap(text -> TableName.parse(text).stream())
                            .toList());
        } catch (IllegalArgumentException wrong) {
            throw usage("--table: " + wrong.getMessage(), "such as votes, public.votes or 'public.\"My Votes\"'");
        }
    }

    private @Nullable StoredBackup only(List<StoredBackup> all) {
        if (label.equals(LATEST)) {
            return null;
        }
        Optional<BackupLabel> wanted = BackupLabel.tryParse(label);
        return all.stream()
                .filter(backup -> wanted.filter(backup.label()::equals).isPresent())
                .findFirst()
                .orElseThrow(
                        () -> usage("there is no backup " + label + " in " + storage, "its folders have the labels"));
    }

    private static List<StoredBackup> of(String cluster, List<StoredBackup> all) {
        return all.stream()
                .filter(backup -> backup.paths().cluster().equals(cluster))
                .toList();
    }

    private String theCluster(List<StoredBackup> all) {
        List<String> names =
                all.stream().map(backup -> backup.paths().cluster()).distinct().toList();
        if (cluster != null) {
            return cluster;
        }
        if (names.size() == 1) {
            return names.get(0);
        }
        throw usage(
                "latest needs --cluster: there are backups of " + (names.isEmpty() ? "none" : String.join(", ", names)),
                "nightshift backups shows them");
    }

    @SuppressWarnings("try") // the watch is for closing only
    private int restore(Surroundings surroundings, RestorableCluster source, RestorePlan plan) {
        var entry = new HistoryEntry(
                "restore",
                plan.document().cluster(),
                settings(plan),
                surroundings.clock().instant());
        Cancellation cancellation = new Cancellation();
        top.onSignal(() -> cancellation.cancel("stopped by a signal, as Ctrl-C sends it"));
        Progress progress = new Progress();
        try {
            Restored restored;
            try (ProgressWatch watch = new ProgressWatch(top, () -> Optional.of(progress.snapshot()))) {
                restored = new Restore(
                                source.chain(plan),
                                plan,
                                action,
                                source.wal(),
                                new Restore.Destination(directory(), tablespaces, delta, asReplacement))
                        .run(WORKERS, progress, cancellation);
            }
            Duration took =
                    Duration.between(entry.startedAt(), surroundings.clock().instant());
            print(plan, restored, took);
            Ledger.Outcome outcome = outcome(plan, restored, took);
            entry.enter(top, surroundings, outcome);
            return outcome.exitStatus();
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.CONFIGURATION && failed.kind() != FailureKind.REFUSED) {
                entry.enter(top, surroundings, HistoryEntry.failed(failed));
            }
            throw failed;
        }
    }

    private Path directory() {
        try {
            return Path.of(String.valueOf(to)).toAbsolutePath().normalize();
        } catch (InvalidPathException unmappable) {
            throw usage(
                    "--to " + to + " is no path in the locale of this process: " + unmappable.getReason(),
                    "set LC_ALL=C.UTF-8 in its environment");
        }
    }

    private Map<String, Object> settings(RestorePlan plan) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("backup", plan.document().label().toString());
        settings.put("target", plan.target().toString());
        settings.put("to", String.valueOf(to));
        return settings;
    }

    private static Ledger.Outcome outcome(RestorePlan plan, Restored restored, Duration took) {
        List<Finding> findings = findings(plan, restored);
        List<Figure> figures = List.of(
                new Figure("files", restored.files(), "files"),
                new Figure("files that were there already", restored.reused(), "files"),
                new Figure("bytes", restored.bytes(), "bytes"),
                new Figure("WAL fetched", plan.walBytes(), "bytes"),
                new Figure("restored in", took.toMillis() / 1000.0, "s"));
        JobReport report = new JobReport(summary(plan, restored, took), figures, findings, List.of(), List.of());
        return new Ledger.Outcome(RunState.COMPLETED, null, report.exitStatus(), report);
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

    private static String summary(RestorePlan plan, Restored restored, Duration took) {
        double seconds = Math.max(0.001, took.toMillis() / 1000.0);
        return "restored " + plan.document().label() + " for " + plan.target() + ": "
                + String.format(Locale.ROOT, "%,d files, ", restored.files()) + Arguments.bytes(restored.bytes())
                + (plan.wal().steps().isEmpty() ? "" : " and " + Arguments.bytes(plan.walBytes()) + " of WAL") + " in "
                + RunText.duration(took) + " (" + Arguments.bytes((long) (restored.bytes() / seconds)) + "/s) from "
                + String.join(" and ", restored.storages());
    }

    private void preview(RestorePlan plan) {
        if (top.isJson()) {
            top.print(json(plan));
            return;
        }
        facts(plan).forEach((name, value) -> top.out().printf("%-10s %s%n", name, value));
    }

    private static Map<String, String> facts(RestorePlan plan) {
        BackupDocument document = plan.document();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("target", plan.target() + ", which can be reached");
        facts.put(
                "backup",
                document.label() + ", ended " + RunText.time(document.endedAt()) + " at " + document.endLsn() + ", "
                        + Arguments.bytes(document.bytes()) + " (" + Arguments.bytes(document.storedBytes())
                        + " stored)");
        facts.put(
                "WAL",
                plan.wal().steps().isEmpty()
                        ? "the backup's own"
                        : plan.wal().steps().size() + " segments, "
                                + plan.wal().steps().get(0).segment() + " to "
                                + plan.wal()
                                        .steps()
                                        .get(plan.wal().steps().size() - 1)
                                        .segment() + ", "
                                + Arguments.bytes(plan.storedBytes()) + " stored");
        facts.put("timeline", timelines(plan));
        facts.put(
                "ends at",
                plan.stopsAt() + (plan.newest() == null ? "" : ", with all transactions up to " + plan.newest()));
        facts.put("needs", Arguments.bytes(document.bytes() + plan.walBytes()) + " of disk");
        plan.notes().forEach(note -> facts.merge("note", note, (one, other) -> one + "; " + other));
        return facts;
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
        json.put("bytes", document.bytes() + plan.walBytes());
        json.put("notes", plan.notes());
        return json;
    }

    private void print(RestorePlan plan, Restored restored, Duration took) {
        restored.complaints()
                .forEach(complaint -> top.err().println("nightshift: read from another copy, because of " + complaint));
        if (top.isJson()) {
            Map<String, Object> document = json(plan);
            document.put("directory", directory().toString());
            document.put("files", restored.files());
            document.put("reusedFiles", restored.reused());
            document.put("restoredBytes", restored.bytes());
            document.put("port", restored.port());
            document.put("seconds", took.toMillis() / 1000.0);
            document.put("storages", restored.storages());
            document.put("complaints", restored.complaints());
            document.put("notes", restored.notes());
            document.put("checklist", restored.checklist());
            top.print(document);
            return;
        }
        top.out().println(summary(plan, restored, took));
        plan.notes().forEach(note -> top.out().println("  " + note));
        restored.notes().forEach(note -> top.out().println("  " + note));
        if (!restored.checklist().isEmpty()) {
            top.out().println("Before it takes the source's place:");
            restored.checklist().forEach(line -> top.out().println("  [ ] " + line));
        }
        top.out().println("Next: pg_ctl -D " + directory() + " -l " + directory() + "/log start");
        if (restored.port() > 0) {
            top.out().println("      psql -h " + directory() + " -p " + restored.port() + " -U postgres");
        }
    }

    private static NightshiftException usage(String fact, String hint) {
        return new NightshiftException(FailureKind.CONFIGURATION, fact, hint);
    }
}
