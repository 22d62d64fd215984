package io.nightshift.scheduler.cli;

import io.nightshift.infra.migration.MigratedDatabase;
import io.nightshift.infra.migration.MigrationFolder;
import io.nightshift.infra.migration.MigrationHistory;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.schema.KeptSchema;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.scheduler.Surroundings;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the databases of a cluster are compared with: what was accepted, or what the options say instead. */
final class ExpectedSchemas {

    private static final Duration MIGRATIONS_LIMIT = Duration.ofMinutes(5);

    /** What else there is to compare with than what was accepted; one of them. */
    static final class Against {

        @Option(
                names = "--like",
                paramLabel = "CLUSTER/DATABASE",
                description = "against this database, owners and privileges apart; needs --database")
        private @Nullable String like;

        @Option(
                names = "--since",
                paramLabel = "RUN",
                description =
                        "against what this run has seen, for as long as that is kept: until the run after its next one")
        private @Nullable Long since;

        @Option(
                names = "--migrations",
                paramLabel = "FOLDER",
                description =
                        "against an empty database after the migrations of this folder, owners and privileges apart;"
                                + " needs --database")
        private @Nullable Path migrations;

        void check(String cluster, @Nullable String database) {
            if (since != null) {
                return;
            }
            if (database == null || (like != null && like.indexOf('/') < 1)) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        database == null
                                ? (like == null ? "--migrations" : "--like") + " needs --database"
                                : "--like " + like + " is not CLUSTER/DATABASE",
                        "nightshift schema diff " + cluster + " --database shop "
                                + (like == null ? "--migrations /srv/shop/db/migration" : "--like staging/shop"));
            }
        }
    }

    private final Surroundings surroundings;
    private final LiveSchemas live;
    private final @Nullable SchemaBook book;
    private final @Nullable Against against;

    /** @param book null before the first launch */
    ExpectedSchemas(Surroundings surroundings, LiveSchemas live, @Nullable SchemaBook book, @Nullable Against against) {
        this.surroundings = surroundings;
        this.live = live;
        this.book = book;
        this.against = against;
    }

    /** Empty if nothing is expected of the database. */
    Optional<ExpectedSchema> of(ManagedCluster cluster, String database) throws SQLException {
        if (against == null) {
            return book == null
                    ? Optional.empty()
                    : book.accepted(cluster.name(), database).map(ExpectedSchemas::accepted);
        }
        if (against.since != null) {
            return Optional.of(since(against.since, cluster.name(), database));
        }
        if (against.like != null) {
            return Optional.of(like(against.like));
        }
        return Optional.of(migrated(cluster, database, Objects.requireNonNull(against.migrations)));
    }

    private static ExpectedSchema accepted(KeptSchema kept) {
        return ExpectedSchema.withRights(
                "what " + kept.by() + " accepted at " + RunText.time(kept.at()), kept.schema());
    }

    private ExpectedSchema since(long run, String cluster, String database) {
        KeptSchema seen = (book == null ? Optional.<KeptSchema>empty() : book.seenBy(run, cluster, database))
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "what run " + run + " has seen of database " + database + " of cluster " + cluster
                                + " is not kept",
                        "only the last two runs of a job keep what they have seen"));
        return ExpectedSchema.withRights("what " + seen.by() + " saw at " + RunText.time(seen.at()), seen.schema());
    }

    private ExpectedSchema like(String like) throws SQLException {
        int slash = like.indexOf('/');
        Schema schema = live.with(like.substring(0, slash), other -> live.read(other, like.substring(slash + 1), null));
        return ExpectedSchema.withoutRights("database " + like, schema, UnaryOperator.identity());
    }

    private ExpectedSchema migrated(ManagedCluster cluster, String database, Path folder) throws SQLException {
        MigrationHistory history;
        int major;
        try (Connection session = LiveSchemas.session(cluster, database)) {
            history = MigrationHistory.only(database, MigrationHistory.read(session));
            major = session.getMetaData().getDatabaseMajorVersion();
        }
        Schema migrated = new MigratedDatabase(
                        surroundings.home().restoredCopies(), MIGRATIONS_LIMIT, live.cancellation())
                .schema(
                        "migrations-of-process-" + ProcessHandle.current().pid(),
                        major,
                        new MigrationFolder(folder.toAbsolutePath()),
                        history,
                        surroundings.clock().instant());
        return ExpectedSchema.withoutRights(
                "an empty database after the migrations of " + folder,
                migrated,
                read -> MigratedDatabase.comparable(read, migrated));
    }
}
