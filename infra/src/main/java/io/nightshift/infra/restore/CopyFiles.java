package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.CopiedTable.Column;
import io.nightshift.infra.restore.CopiedTable.Qualified;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * The rows of tables as files of COPY's text format, in the database's own encoding, and beside them {@value #LOAD},
 * which loads them with psql. Memory does not grow with the rows.
 */
final class CopyFiles {

    static final String LOAD = "load.sql";

    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");

    private final Connection connection;
    private final String encoding;
    private final Path directory;
    private final List<String> load = new ArrayList<>();

    /** @param about what the rows are, for whoever reads {@value #LOAD} */
    CopyFiles(Connection connection, String encoding, Path directory, String about) {
        this.connection = connection;
        this.encoding = encoding;
        this.directory = directory;
        load.addAll(List.of(
                "-- " + oneLine(about),
                "-- Rows only. Make the tables first, with the columns below, empty and without constraints that the order of",
                "-- loading could break; then, in this directory:",
                "--   psql -X -v ON_ERROR_STOP=1 -1 -d DATABASE -f " + LOAD,
                "\\encoding UTF8"));
    }

    /** Writes all of them, and how to load them. */
    List<ExtractedFile> write(List<CopiedTable> tables, Progress progress, Cancellation cancellation) {
        List<ExtractedFile> files = new ArrayList<>();
        progress.begin("copy tables", (long) tables.size(), "tables");
        for (CopiedTable table : tables) {
            progress.note(table.toString());
            files.add(write(table, cancellation));
            progress.advance(1);
        }
        progress.note(null);
        write(
                directory.resolve(LOAD),
                out -> out.write((String.join("\n", load) + "\n").getBytes(StandardCharsets.UTF_8)));
        return files;
    }

    private ExtractedFile write(CopiedTable table, Cancellation cancellation) {
        Path file = directory.resolve(table.fileName() + ".copy");
        long[] rows = {0};
        write(file, out -> {
            for (Qualified leaf : table.leaves()) {
                rows[0] += copy(table, leaf, out, cancellation);
            }
        });
        describe(table, file, rows[0]);
        return new ExtractedFile(file, List.of(table.toString()), rows[0]);
    }

    private static void write(Path file, Durable.Content content) {
        Durable.write(file, PRIVATE, content);
    }

    private long copy(CopiedTable table, Qualified leaf, OutputStream out, Cancellation cancellation)
            throws IOException {
        // A partition may have its columns in another order.
        String sql =
                "COPY " + leaf.quoted() + table.columnList() + " TO STDOUT (FORMAT text, ENCODING '" + encoding + "')";
        try {
            CopyOut copy = connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql);
            for (byte[] row = copy.readFromCopy(); row != null; row = copy.readFromCopy()) {
                cancellation.check();
                out.write(row);
            }
            return copy.getHandledRowCount();
        } catch (SQLException e) {
            throw failure(leaf, e);
        }
    }

    /** What this machine's server lacks is no damage of the backup. */
    private static NightshiftException failure(Qualified leaf, SQLException e) {
        NightshiftException failure = SqlStates.failure("rows of table " + leaf + " not copied", e);
        boolean lacking = "0A000".equals(e.getSQLState())
                || String.valueOf(e.getMessage()).contains("could not access file");
        return lacking
                ? new NightshiftException(
                        FailureKind.CONFIGURATION,
                        String.valueOf(failure.getMessage()),
                        "install the complete server of that major version, with the extensions that the database uses, on this machine",
                        e)
                : failure;
    }

    private void describe(CopiedTable table, Path file, long rows) {
        load.add("");
        load.add("-- table " + oneLine(table.qualified().quoted()) + ": " + rows + " rows");
        for (Column column : table.columns()) {
            load.add("--   " + oneLine(column.name()) + "  " + oneLine(column.type())
                    + (column.required() ? " NOT NULL" : "")
                    + (column.generated() ? ", generated: has no data" : ""));
        }
        String target = table.qualified().quoted() + table.columnList();
        if (oneLine(target).equals(target)) {
            load.add("\\copy " + target + " FROM '" + file.getFileName() + "' WITH (FORMAT text, ENCODING '" + encoding
                    + "')");
        } else {
            load.add("-- psql's \\copy takes no name with a line break: load " + file.getFileName()
                    + " by COPY … FROM STDIN");
            load.add("\\warn 'not loaded: " + file.getFileName() + "'");
        }
    }

    /** Nothing of a name may leave the comment that it stands in. */
    private static String oneLine(String text) {
        return text.replaceAll("[\\p{Cntrl}\u0085\u2028\u2029]", "?");
    }
}
