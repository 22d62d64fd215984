package io.nightshift.jobs.integrity;

import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.migration.AppliedMigration;
import io.nightshift.infra.migration.MigratedDatabase;
import io.nightshift.infra.migration.MigrationFolder;
import io.nightshift.infra.migration.MigrationHistory;
import io.nightshift.infra.migration.SessionSource;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.schema.Schema;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the histories of migrations in a database say, by themselves and against the folder that the migrations come from; and
 * whether the database is what they make of an empty one.
 */
final class MigrationsCheck {

    static final String KEY = Target.KEY + "migrations/";

    private static final Duration LIMIT = Duration.ofMinutes(5);

    private final RunContext run;
    private final RestoredCopies copies;
    private final Clock clock;

    MigrationsCheck(RunContext run, RestoredCopies copies, Clock clock) {
        this.run = run;
        this.copies = copies;
        this.clock = clock;
    }

    /** @param folder null if it is not known */
    void judge(ManagedNode primary, String database, Schema live, @Nullable Path folder) {
        try {
            List<MigrationHistory> histories = read(primary, database);
            histories.forEach(history -> judge(database, history));
            if (folder == null) {
                return;
            }
            MigrationHistory history = MigrationHistory.only(database, histories);
            compare(primary, database, history, new MigrationFolder(folder));
            compareWithMigrated(primary, database, live, history, new MigrationFolder(folder));
        } catch (SQLException e) {
            run.cancellation().check();
            notEvaluated(database, CheckFailure.message(e));
        } catch (NightshiftException refused) {
            if (refused.kind() == FailureKind.CANCELLED || refused.kind() == FailureKind.BUG) {
                throw refused;
            }
            notEvaluated(database, String.valueOf(refused.getMessage()));
        }
    }

    private void notEvaluated(String database, String reason) {
        run.notEvaluated(new NotEvaluated("migrations of database " + database, reason, keysOf(database)));
    }

    /** How the keys of all findings about the migrations of a database begin. */
    static List<String> keysOf(String database) {
        return List.of(KEY + database + ".", SchemaFindings.MIGRATED + database + ".");
    }

    private List<MigrationHistory> read(ManagedNode primary, String database) throws SQLException {
        try (Connection session = primary.direct(database, run.purpose())) {
            return MigrationHistory.read(session);
        }
    }

    private void judge(String database, MigrationHistory history) {
        for (AppliedMigration failed : history.failed()) {
            report(
                    database,
                    history,
                    "failed/" + failed.script(),
                    Severity.ERROR,
                    "migration " + failed + " has failed: what it did before may be half there",
                    "undo what it has done, run flyway repair, and migrate again");
        }
        for (AppliedMigration late : history.outOfOrder()) {
            report(
                    database,
                    history,
                    "out-of-order/" + late.script(),
                    Severity.INFO,
                    "migration " + late
                            + " was applied behind a later version: a new database, where all are applied in"
                            + " order, may become another one",
                    null);
        }
        if (!history.gaps().isEmpty()) {
            report(
                    database,
                    history,
                    "gaps",
                    Severity.INFO,
                    "versions were left out: " + String.join(", ", history.gaps()),
                    null);
        }
    }

    private void compare(ManagedNode primary, String database, MigrationHistory history, MigrationFolder folder) {
        var source = new SessionSource(() -> {
            Connection session = primary.direct(database, run.purpose());
            try (Statement statement = session.createStatement()) {
                statement.execute("SET default_transaction_read_only = on");
            }
            return session;
        });
        folder.compare(source, history)
                .forEach(difference -> report(
                        database,
                        history,
                        "folder/" + difference.script(),
                        difference.isWrong() ? Severity.ERROR : Severity.INFO,
                        difference.fact() + " (" + folder.path() + ")",
                        difference.isWrong()
                                ? "put the migration back as it was applied, and write another one for what is to change"
                                : null));
    }

    private void report(
            String database,
            MigrationHistory history,
            String key,
            Severity severity,
            String detail,
            @Nullable String remedy) {
        run.report(new Finding(
                KEY + database + "." + history + "/" + key,
                severity,
                "migrations of database " + database + " (" + history + ")",
                detail,
                remedy));
    }

    private void compareWithMigrated(
            ManagedNode primary, String database, Schema live, MigrationHistory history, MigrationFolder folder) {
        Schema migrated = new MigratedDatabase(copies, LIMIT, run.cancellation())
                .schema(
                        "migrations-of-run-" + run.id(),
                        primary.facts(run.purpose()).version().major(),
                        folder,
                        history,
                        clock.instant());
        Schema shown = MigratedDatabase.comparable(live, migrated);
        SchemaFindings.migrated(database, folder.path())
                .report(run, migrated.withRightsOf(shown), shown.withRightsOnlyIn(migrated));
    }
}
