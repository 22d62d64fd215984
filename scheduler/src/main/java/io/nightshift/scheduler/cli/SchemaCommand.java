package io.nightshift.scheduler.cli;

import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.schema.KeptSchema;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.infra.schema.StoredSchemas;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Surroundings;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "schema",
        description = "Says what the schema of a database is expected to be, and how it differs from that.",
        synopsisSubcommandLabel = "(accept | diff)")
final class SchemaCommand implements Runnable {

    private static final int DIFFERENT = 3;
    private static final int NOT_EVALUATED = 6;

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before a command runs
    private NightshiftCommand top;

    @Override
    public void run() {
        throw new NightshiftException(
                FailureKind.CONFIGURATION,
                "schema needs a command",
                "nightshift schema accept CLUSTER, or nightshift schema diff CLUSTER");
    }

    @Command(
            name = "accept",
            description = {
                "Keeps the schema that a database has now: integrity-validation reports each night where it is not so any more.",
                "What was accepted before is replaced; --remove ends it."
            })
    int accept(
            @Parameters(paramLabel = "CLUSTER", description = "its name, as in clusters/") String name,
            @Option(names = "--database", paramLabel = "D", description = "only this one (default: all of them)")
                    @Nullable
                    String database,
            @Option(names = "--remove", description = "nothing is expected of it from now on") boolean remove) {
        Surroundings surroundings = top.surroundings();
        Instant now = surroundings.clock().instant().truncatedTo(ChronoUnit.SECONDS);
        LiveSchemas live = new LiveSchemas(top, surroundings);
        return live.with(name, cluster -> {
            List<String> databases = remove ? List.of() : LiveSchemas.databases(cluster, database);
            surroundings.home().create();
            List<Map<String, @Nullable Object>> documents = new ArrayList<>();
            boolean complete = true;
            try (ControlDatabase controlDatabase = ControlDatabase.open(
                    surroundings.home(), surroundings.configuration().program().control())) {
                controlDatabase.migrate();
                SchemaBook book = new StoredSchemas(controlDatabase.connections());
                if (remove) {
                    (database == null ? book.databasesAccepted(name) : Set.of(database))
                            .forEach(one -> documents.add(
                                    told(new SchemaAcceptance.Removed(one, book.acceptNoMore(name, one)))));
                }
                for (String one : databases) {
                    top.checkSignal();
                    try {
                        Schema schema = live.read(cluster, one, null);
                        Optional<KeptSchema> before = before(book, name, one);
                        book.accept(name, one, new KeptSchema(schema, now, NightshiftCommand.user()));
                        documents.add(told(SchemaAcceptance.Accepted.of(one, schema, before)));
                    } catch (SQLException | RuntimeException | Error failed) {
                        complete = false;
                        documents.add(
                                told(new SchemaAcceptance.NotAccepted(one, live.reason(failed, database != null))));
                    }
                }
            }
            if (top.isJson()) {
                print(name, documents);
            } else if (remove && documents.isEmpty()) {
                top.out().println("no schema of cluster " + name + " is accepted");
            }
            return complete ? 0 : NOT_EVALUATED;
        });
    }

    /** One that cannot be read any more is replaced like any other. */
    private static Optional<KeptSchema> before(SchemaBook book, String cluster, String database) {
        try {
            return book.accepted(cluster, database);
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.DATA_DAMAGED) {
                throw failed;
            }
            return Optional.empty();
        }
    }

    private Map<String, @Nullable Object> told(SchemaAcceptance acceptance) {
        if (!top.isJson()) {
            (acceptance instanceof SchemaAcceptance.NotAccepted ? top.err() : top.out()).println(acceptance.line());
        }
        return acceptance.json();
    }

    private void print(String cluster, List<Map<String, @Nullable Object>> databases) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("cluster", cluster);
        document.put("databases", databases);
        top.print(document);
    }

    @Command(
            name = "diff",
            description = {
                "Shows each object that is not as it was accepted, or not like that of another database, with the statements that"
                        + " would mend it. Changes nothing.",
                "Differences give exit status 3, partitions that came and the order of columns apart. Where nothing was accepted,"
                        + " or what could not be read, gives 6."
            })
    int diff(
            @Parameters(paramLabel = "CLUSTER", description = "its name, as in clusters/") String name,
            @Option(names = "--database", paramLabel = "D", description = "only this one (default: all of them)")
                    @Nullable
                    String database,
            @ArgGroup ExpectedSchemas.@Nullable Against against,
            @Option(names = "--sql", description = "print only the statements, in the order in which they work")
                    boolean sql) {
        Surroundings surroundings = top.surroundings();
        if (against != null) {
            against.check(name, database);
        }
        LiveSchemas live = new LiveSchemas(top, surroundings);
        List<Map<String, @Nullable Object>> documents = new ArrayList<>();
        int exitStatus = live.with(name, cluster -> {
            int status = 0;
            try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
                var expectations =
                        new ExpectedSchemas(surroundings, live, ledger == null ? null : ledger.schemas(), against);
                List<String> databases = LiveSchemas.databases(cluster, database);
                for (String one : databases) {
                    top.checkSignal();
                    ComparedSchema compared = compare(live, cluster, one, expectations, database != null);
                    status = worse(status, compared);
                    if (top.isJson()) {
                        documents.add(SchemaDiffJson.of(compared));
                    } else {
                        print(compared, sql, databases.size() == 1);
                    }
                }
            }
            return status;
        });
        if (top.isJson()) {
            print(name, documents);
        }
        return exitStatus;
    }

    private static ComparedSchema compare(
            LiveSchemas live, ManagedCluster cluster, String database, ExpectedSchemas expectations, boolean isOnly) {
        try {
            ExpectedSchema expected = expectations.of(cluster, database).orElse(null);
            Schema schema = live.read(
                    cluster,
                    database,
                    expected == null ? null : expected.schema().fingerprint());
            if (expected == null) {
                return new ComparedSchema(database, null, schema, null, null);
            }
            return new ComparedSchema(
                    database, expected.name(), schema, expected.comparison().apply(schema), null);
        } catch (SQLException | RuntimeException | Error failed) {
            return ComparedSchema.notEvaluated(database, null, live.reason(failed, isOnly));
        }
    }

    /** A difference counts before what is not known. */
    private static int worse(int status, ComparedSchema compared) {
        if (status == DIFFERENT || compared.differs()) {
            return DIFFERENT;
        }
        return compared.comparison() == null ? NOT_EVALUATED : status;
    }

    private void print(ComparedSchema compared, boolean sql, boolean isOnly) {
        SchemaDiffText text = new SchemaDiffText(top.out());
        if (compared.notEvaluated() != null) {
            top.err()
                    .println("nightshift: schema of database " + SchemaDiffText.onOneLine(compared.database())
                            + " not compared: " + compared.notEvaluated());
        } else if (sql) {
            text.printScript(compared, isOnly);
        } else {
            text.print(compared);
        }
    }
}
