package io.nightshift.infra.migration;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.flywaydb.core.api.MigrationVersion;
import org.jspecify.annotations.Nullable;

/**
 * What Flyway has applied to a database, as its history table says, whatever that is called.
 *
 * @param schema of the table
 * @param table its name
 * @param applied in the order in which they were
 */
public record MigrationHistory(String schema, String table, List<AppliedMigration> applied) {

    /** Those of Flyway from version 4 on. */
    private static final String TABLES = """
            SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname)
              FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
               AND 8 = (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN (
                   'installed_rank', 'version', 'description', 'type', 'script', 'checksum', 'execution_time', 'success'))
             ORDER BY 1, 2
            """;

    private static final List<String> PREAMBLE = List.of(
            "SET default_transaction_read_only = on",
            "SET row_security = off",
            "SET lock_timeout = '2s'",
            "SET statement_timeout = '30s'");

    /** What is no migration, or is taken back. */
    private static final Set<String> NOT_COUNTED = Set.of("SCHEMA", "BASELINE", "DELETE");

    public MigrationHistory {
        applied = List.copyOf(applied);
    }

    /** All that there are in a database; the session is set up for that, and left so. */
    public static List<MigrationHistory> read(Connection session) throws SQLException {
        record Table(String schema, String name, String quoted) {}
        List<Table> tables = new ArrayList<>();
        List<MigrationHistory> histories = new ArrayList<>();
        try (Statement statement = session.createStatement()) {
            for (String setting : PREAMBLE) {
                statement.execute(setting);
            }
            try (ResultSet row = statement.executeQuery(TABLES)) {
                while (row.next()) {
                    tables.add(new Table(row.getString(1), row.getString(2), row.getString(3)));
                }
            }
            for (Table table : tables) {
                List<AppliedMigration> applied = new ArrayList<>();
                try (ResultSet row = statement.executeQuery(
                        "SELECT installed_rank, version, description, type, script, success FROM " + table.quoted()
                                + " ORDER BY installed_rank")) {
                    while (row.next()) {
                        applied.add(new AppliedMigration(
                                row.getInt("installed_rank"),
                                row.getString("version"),
                                row.getString("description"),
                                row.getString("type"),
                                row.getString("script"),
                                row.getBoolean("success")));
                    }
                }
                histories.add(new MigrationHistory(table.schema(), table.name(), applied));
            }
        }
        return histories;
    }

    /** The one that a database has, where it can be compared with a folder. */
    public static MigrationHistory only(String database, List<MigrationHistory> histories) {
        if (histories.size() != 1) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "database " + database + " has "
                            + (histories.isEmpty()
                                    ? "no history of migrations"
                                    : "several histories of migrations: " + histories));
        }
        return histories.get(0);
    }

    /** Those that ended with an error, and nobody has repaired. */
    public List<AppliedMigration> failed() {
        return applied.stream().filter(migration -> !migration.success()).toList();
    }

    /** Those that were applied behind a later version. */
    public List<AppliedMigration> outOfOrder() {
        List<AppliedMigration> late = new ArrayList<>();
        MigrationVersion last = MigrationVersion.EMPTY;
        for (AppliedMigration migration : versioned()) {
            MigrationVersion version = MigrationVersion.fromVersion(migration.version());
            if (version.compareTo(last) < 0) {
                late.add(migration);
            } else {
                last = version;
            }
        }
        return late;
    }

    /** Numbers that are left out where versions are numbers that follow each other. */
    public List<String> gaps() {
        Set<BigInteger> numbers = new TreeSet<>();
        for (AppliedMigration migration : applied) {
            String version = migration.version();
            if (version != null && !version.matches("[0-9]{1,18}")) {
                return List.of();
            }
            if (version != null) {
                numbers.add(new BigInteger(version));
            }
        }
        if (numbers.isEmpty()) {
            return List.of();
        }
        TreeSet<BigInteger> sorted = new TreeSet<>(numbers);
        long first = sorted.first().longValueExact();
        long last = sorted.last().longValueExact();
        return last - first >= 2L * sorted.size()
                ? List.of() // times, or tens
                : LongStream.rangeClosed(first, last)
                        .mapToObj(BigInteger::valueOf)
                        .filter(number -> !numbers.contains(number))
                        .map(BigInteger::toString)
                        .toList();
    }

    /** The highest version that was applied; null if there is none. */
    public @Nullable String version() {
        return versioned().stream()
                .filter(AppliedMigration::success)
                .map(migration -> MigrationVersion.fromVersion(migration.version()))
                .max(MigrationVersion::compareTo)
                .map(MigrationVersion::getVersion)
                .orElse(null);
    }

    private List<AppliedMigration> versioned() {
        Set<String> undone = applied.stream()
                .filter(migration ->
                        migration.type().startsWith("UNDO") || migration.type().equals("DELETE"))
                .map(migration -> String.valueOf(migration.version()))
                .collect(Collectors.toSet());
        return applied.stream()
                .filter(migration -> migration.version() != null && !NOT_COUNTED.contains(migration.type()))
                .filter(migration -> !undone.contains(Objects.requireNonNull(migration.version())))
                .toList();
    }

    /** As people name it. */
    @Override
    public String toString() {
        return schema + "." + table;
    }
}
