package io.nightshift.infra.migration;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.Arrays;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.flywaydb.core.api.migration.JavaMigration;

/**
 * Brings a schema to the state this version needs. Several processes may call it at once: Flyway lets one work and the
 * others wait.
 */
public final class MigrationManager {

    private final Flyway flyway;

    /**
     * @param schema made when it does not exist; Flyway's history table lies in it
     * @param location of the SQL migrations on the class path, such as {@code db/control}
     */
    public MigrationManager(DataSource database, String schema, String location, List<JavaMigration> javaMigrations) {
        flyway = Flyway.configure()
                .dataSource(database)
                .schemas(schema)
                .defaultSchema(schema)
                .locations("classpath:" + location)
                .javaMigrations(javaMigrations.toArray(JavaMigration[]::new))
                .cleanDisabled(true)
                .load();
    }

    /** Applies what is missing; returns how many migrations that were. CONFIGURATION if a newer version was here. */
    public int migrate() {
        try {
            MigrationInfo[] all = flyway.info().all();
            refuseTheFuture(all);
            return isUpToDate(all) ? 0 : flyway.migrate().migrationsExecuted;
        } catch (FlywayValidateException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "control database was migrated by another version of Nightshift: " + firstLine(e),
                    "run the version that migrated it, or a newer one",
                    e);
        } catch (FlywayException e) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "control database not migrated: " + firstLine(e),
                    "the role needs the right to create a schema in the control database",
                    e);
        }
    }

    /** Flyway itself lets an old program work on a schema whose migrations it does not know. */
    private static void refuseTheFuture(MigrationInfo[] all) {
        for (MigrationInfo migration : all) {
            if (migration.getState() == MigrationState.FUTURE_SUCCESS
                    || migration.getState() == MigrationState.FUTURE_FAILED) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "control database was migrated by a newer version of Nightshift: migration "
                                + migration.getVersion() + " is not known to this one",
                        "run the version that migrated it, or a newer one");
            }
        }
    }

    /** Flyway would look at everything once more, which takes half a second of the start of every command. */
    private static boolean isUpToDate(MigrationInfo[] all) {
        return Arrays.stream(all)
                .allMatch(migration -> migration.getState() == MigrationState.SUCCESS
                        && migration.isChecksumMatching()
                        && migration.isDescriptionMatching()
                        && migration.isTypeMatching());
    }

    private static String firstLine(FlywayException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
    }
}
