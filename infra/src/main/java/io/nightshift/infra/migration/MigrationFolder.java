package io.nightshift.infra.migration;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.jspecify.annotations.Nullable;

/** A folder with the SQL migrations that databases are made with, in Flyway's names. */
public record MigrationFolder(Path path) {

    /**
     * What the folder and a history say differently of one migration.
     *
     * @param isWrong whether the database has something else than the folder, and not only less
     */
    public record Difference(String script, String fact, boolean isWrong) {}

    /** Compares with the history of a database, as {@code flyway validate} does; changes nothing. */
    public List<Difference> compare(DataSource database, MigrationHistory history) {
        List<Difference> differences = new ArrayList<>();
        try {
            for (MigrationInfo migration :
                    flyway(database, history).load().info().all()) {
                difference(migration).ifPresent(differences::add);
            }
        } catch (FlywayException e) {
            throw failure("folder " + path + " not compared with " + history, e);
        }
        return differences;
    }

    private static Optional<Difference> difference(MigrationInfo migration) {
        String name = migration.getVersion() == null
                ? migration.getDescription()
                : migration.getVersion() + " " + migration.getDescription();
        String fact = switch (migration.getState()) {
            case MISSING_SUCCESS, FUTURE_SUCCESS -> "was applied and is not in the folder";
            case PENDING -> "is in the folder and was not applied yet";
            case IGNORED -> "is in the folder and was not applied, though later ones were";
            case OUTDATED -> "is another one in the folder by now and was not applied again";
            case SUCCESS, OUT_OF_ORDER ->
                !migration.isChecksumMatching()
                        ? "is another one in the folder than was applied: checksum " + migration.getResolvedChecksum()
                                + ", not " + migration.getAppliedChecksum()
                        : !migration.isTypeMatching() || !migration.isDescriptionMatching()
                                ? "has another name in the folder: " + migration.getResolvedDescription()
                                : null;
            default -> null;
        };
        boolean isLess = switch (migration.getState()) {
            case PENDING, OUTDATED -> true;
            default -> false;
        };
        return Optional.ofNullable(fact)
                .map(text -> new Difference(migration.getScript(), "migration " + name + " " + text, !isLess));
    }

    /** Applies them to an empty database, up to the version that the history has reached; the last ones count. */
    public void migrate(DataSource empty, MigrationHistory history) {
        String version = history.version();
        try {
            FluentConfiguration configuration = flyway(empty, history);
            if (version != null) {
                configuration.target(version);
            }
            configuration.load().migrate();
        } catch (FlywayException e) {
            throw failure("migrations of folder " + path + " not applied to an empty database", e);
        }
    }

    private FluentConfiguration flyway(DataSource database, MigrationHistory history) {
        if (!Files.isDirectory(path)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "folder " + path + " with migrations is not there",
                    "see settings.schema.migrations of the job");
        }
        return Flyway.configure()
                .dataSource(database)
                .defaultSchema(history.schema())
                .table(history.table())
                .locations("filesystem:" + path)
                .outputQueryResults(false)
                .cleanDisabled(true);
    }

    private static NightshiftException failure(String what, FlywayException e) {
        return new NightshiftException(FailureKind.CONFIGURATION, what + ": " + firstLines(e.getMessage()), null, e);
    }

    private static String firstLines(@Nullable String message) {
        return String.join(
                " ", String.valueOf(message).lines().map(String::strip).limit(6).toList());
    }
}
