package io.nightshift.infra.restore;

import io.nightshift.infra.config.Nearest;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.CopiedTable.Qualified;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.PgDump;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.wal.StoredWal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Brings tables, or a whole database, out of a backup into files: the cluster is restored to the target beside them, a
 * server that nobody else can enter is started on it, read, and thrown away. With a pg_dump the files hold definitions and
 * rows, for pg_restore; without one they hold rows, for COPY.
 */
public final class TableRestore {

    /**
     * What is wanted.
     *
     * @param database null for the one that has the tables
     * @param tables none for the whole database
     */
    public record Wanted(@Nullable String database, List<TableName> tables) {

        public Wanted {
            tables = List.copyOf(tables);
        }
    }

    private final List<BackupCopies> chain;
    private final RestorePlan plan;
    private final StoredWal wal;
    private final PostgresBinaries binaries;
    private final Optional<PgDump> dump;

    /**
     * @param binaries of the cluster's major version
     * @param dump of that version or a newer one, if there is one
     */
    public TableRestore(
            List<BackupCopies> chain,
            RestorePlan plan,
            StoredWal wal,
            PostgresBinaries binaries,
            Optional<PgDump> dump) {
        this.chain = List.copyOf(chain);
        this.plan = plan;
        this.wal = wal;
        this.binaries = binaries;
        this.dump = dump;
    }

    /**
     * Writes the files. Whatever happens, no copy of the cluster is left and no file that is not whole.
     *
     * @param directory absent or empty
     * @param workers threads that unpack
     */
    public Extracted run(Wanted wanted, Path directory, int workers, Progress progress, Cancellation cancellation) {
        try (RestoredCopy copy = RestoredCopy.in(directory)) {
            Restored restored = copy.restore(chain, plan, wal, workers, progress, cancellation);
            Throughput replay = copy.recover(binaries, plan.replayedBytes(), progress, cancellation);
            return extract(wanted, copy, restored, replay, progress, cancellation);
        }
    }

    private Extracted extract(
            Wanted wanted,
            RestoredCopy restoredCopy,
            Restored restored,
            Throughput replay,
            Progress progress,
            Cancellation cancellation) {
        PostgresServer server = restoredCopy.server();
        TemporaryCopy copy = restoredCopy.files();
        String database = database(wanted, restoredCopy);
        try (Connection connection = restoredCopy.connect(database)) {
            var catalog = new TableCatalog(connection, database);
            List<CopiedTable> tables = wanted.tables().isEmpty() ? catalog.all() : catalog.find(wanted.tables());
            String encoding = text(connection, "SHOW server_encoding");
            List<ExtractedFile> files;
            List<Path> more = new ArrayList<>();
            if (dump.isPresent()) {
                files = List.of(
                        dump(dump.get(), server, database, encoding, wanted, tables, copy, progress, cancellation));
            } else {
                files = new CopyFiles(connection, encoding, copy.files(), about(database))
                        .write(tables, progress, cancellation);
                more.add(copy.files().resolve(CopyFiles.LOAD));
            }
            cancellation.check();
            List<String> notes = notes(wanted, tables, copy);
            return new Extracted(database, way(), dump.isPresent(), copy.publish(files, more), restored, replay, notes);
        } catch (SQLException e) {
            throw SqlStates.failure("database " + database + " of the temporary copy not read", e);
        }
    }

    private String about(String database) {
        return "Written by nightshift restore: database " + database + " of cluster "
                + plan.document().cluster() + ", from backup " + plan.document().label() + ", for " + plan.target();
    }

    private String way() {
        return dump.map(found -> "by pg_dump " + found.major() + " (" + found.program() + "), for pg_restore")
                .orElseGet(() -> "by COPY, rows only: there is no pg_dump "
                        + plan.document().major() + " or newer on this machine");
    }

    private static ExtractedFile dump(
            PgDump dump,
            PostgresServer server,
            String database,
            String encoding,
            Wanted wanted,
            List<CopiedTable> tables,
            TemporaryCopy copy,
            Progress progress,
            Cancellation cancellation) {
        progress.begin("pg_dump", null, "");
        List<String> names = new ArrayList<>();
        if (!wanted.tables().isEmpty()) {
            tables.forEach(table -> table.members().forEach(member -> names.add(member.quoted())));
        }
        String base = switch (wanted.tables().isEmpty() ? 0 : tables.size()) {
            case 0 -> CopiedTable.fileName(database);
            case 1 -> tables.get(0).fileName();
            default -> "tables";
        };
        Path file = copy.files().resolve(base + ".dump");
        // In SQL_ASCII nobody knows what the bytes mean.
        dump.dump(
                server,
                database,
                encoding.equals("SQL_ASCII") ? encoding : "UTF8",
                names,
                RestoredCopy.options(server),
                file,
                cancellation);
        try {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
        List<String> shown = names.isEmpty()
                ? List.of()
                : tables.stream().map(CopiedTable::toString).toList();
        return new ExtractedFile(file, shown, -1);
    }

    private List<String> notes(Wanted wanted, List<CopiedTable> tables, TemporaryCopy copy) {
        List<String> notes = new ArrayList<>();
        String unlogged = tables.stream()
                .filter(CopiedTable::unlogged)
                .map(CopiedTable::toString)
                .collect(Collectors.joining(", "));
        if (!unlogged.isEmpty()) {
            notes.add("unlogged, and so empty in every restored cluster: " + unlogged);
        }
        String foreign = tables.stream()
                .flatMap(table -> table.foreign().stream())
                .map(Qualified::toString)
                .collect(Collectors.joining(", "));
        if (!foreign.isEmpty()) {
            notes.add("partitions on other servers, whose rows are not in the backup: " + foreign);
        }
        if (dump.isEmpty()) {
            notes.add(CopyFiles.LOAD + " says the columns and loads the rows; definitions, indexes, values of sequences"
                    + (wanted.tables().isEmpty() ? ", large objects" : "") + " are not in the files");
        }
        if (copy.tookOver()) {
            notes.add("removed first what a restore that was killed had left in " + TemporaryCopy.FOLDER);
        }
        return notes;
    }

    private static String database(Wanted wanted, RestoredCopy copy) {
        List<String> databases = databases(copy);
        if (wanted.database() != null) {
            if (!databases.contains(wanted.database())) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "there is no database " + wanted.database() + " in the backup",
                        Nearest.of(wanted.database(), databases)
                                .map(near -> "did you mean " + near + "?")
                                .orElse("it has " + String.join(", ", databases)));
            }
            return wanted.database();
        }
        return databaseOf(wanted.tables(), databases, copy);
    }

    /** The one that has them all. */
    private static String databaseOf(List<TableName> tables, List<String> databases, RestoredCopy copy) {
        if (databases.size() == 1) {
            return databases.get(0);
        }
        List<String> having = new ArrayList<>();
        List<String> near = new ArrayList<>();
        for (String database : databases) {
            try (Connection connection = copy.connect(database)) {
                var catalog = new TableCatalog(connection, database);
                if (catalog.hasAll(tables)) {
                    having.add(database);
                }
                tables.forEach(table ->
                        catalog.nearest(table).ifPresent(nearest -> near.add(nearest + " in database " + database)));
            } catch (SQLException e) {
                throw SqlStates.failure("database " + database + " of the temporary copy not read", e);
            }
        }
        if (having.size() == 1) {
            return having.get(0);
        }
        String names = tables.stream().map(TableName::toString).collect(Collectors.joining(", "));
        if (having.isEmpty()) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "no database of the backup has " + (tables.size() == 1 ? "a table " : "all of ") + names
                            + "; there are " + String.join(", ", databases),
                    near.isEmpty() ? null : "did you mean " + String.join(", or ", near) + "?");
        }
        throw new NightshiftException(
                FailureKind.CONFIGURATION,
                "several databases have " + names + ": " + String.join(", ", having),
                "say which with --database");
    }

    private static List<String> databases(RestoredCopy copy) {
        List<String> databases = copy.databases(false);
        if (databases.isEmpty()) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION, "the backup has no database that one can connect to", null);
        }
        return databases;
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
