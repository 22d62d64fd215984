package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.CreatedTablespaces;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestoreEstimate;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.TableRestore;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.Surroundings;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
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
        Optional<String> expiring =
                source.deletedFrom(plan, surroundings.clock().instant()).map(from -> expiring(plan, from));
        if (preview) {
            preview(surroundings, plan, expiring);
            return 0;
        }
        expiring.ifPresent(warning -> top.err().println("nightshift: " + warning));
        if (isExtract()) {
            return new RestoredTables(top, surroundings, source, plan, wanted(), directory()).call();
        }
        if (delta && !yes) {
            top.confirm("everything in " + directory() + " that is not in backup "
                    + plan.document().label() + " will be lost");
        }
        boolean replaces = asReplacement || RestoredDirectory.isControlDatabase(surroundings, directory());
        var destination = new Restore.Destination(directory(), tablespaces, delta, replaces);
        return new RestoredDirectory(top, surroundings, source, plan, action, destination).call();
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

    private Path directory() {
        try {
            return Path.of(String.valueOf(to)).toAbsolutePath().normalize();
        } catch (InvalidPathException unmappable) {
            throw usage(
                    "--to " + to + " is no path in the locale of this process: " + unmappable.getReason(),
                    "set LC_ALL=C.UTF-8 in its environment");
        }
    }

    /** A restore that takes longer than that would be cut off. */
    private static String expiring(RestorePlan plan, Instant from) {
        String label = plan.document().label().toString();
        return "retention keeps no longer what this restore of backup " + label + " reads: a run after " + from
                + " deletes it; nightshift pin " + label + " --for 2d --reason restore keeps the backup";
    }

    private void preview(Surroundings surroundings, RestorePlan plan, Optional<String> expiring) {
        List<String> notes = new ArrayList<>(plan.notes());
        expiring.ifPresent(notes::add);
        notes.addAll(new CreatedTablespaces(plan, tablespaces).require());
        RestoreEstimate estimate = RestoreEstimate.of(plan, surroundings.home().throughput()::rate);
        if (top.isJson()) {
            Map<String, Object> document = RestoreText.json(plan);
            document.put("notes", notes);
            document.put("estimate", RestoreText.json(estimate));
            top.print(document);
            return;
        }
        RestoreText.facts(plan, estimate, notes)
                .forEach((name, value) -> top.out().printf("%-10s %s%n", name, value));
    }

    private static NightshiftException usage(String fact, String hint) {
        return new NightshiftException(FailureKind.CONFIGURATION, fact, hint);
    }
}
