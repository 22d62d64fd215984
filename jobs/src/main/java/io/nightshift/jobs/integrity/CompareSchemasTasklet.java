package io.nightshift.jobs.integrity;

import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.schema.KeptSchema;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.infra.schema.SchemaReader;
import io.nightshift.jobs.integrity.SchemaSettings.Part;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Compares the schemas of the primary's databases with what they were, with what was accepted, and with what they must be like.
 * What is seen is kept behind what is told, and counts for the next run when this one is completed: a restart tells it again.
 */
final class CompareSchemasTasklet implements Tasklet {

    private static final Logger LOG = LoggerFactory.getLogger(CompareSchemasTasklet.class);

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int FINGERPRINT = 12;
    private static final String LIKE = "settings.schema.like: ";
    private static final String NOT_LOOKED_FOR = "not looked for";
    private static final String NOT_EVALUATED = "not evaluated";

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final SchemaBook book;
    private final Clock clock;
    private final MigrationsCheck migrations;
    private final List<List<String>> table = new ArrayList<>();

    CompareSchemasTasklet(
            RunContext run, DatabaseOrchestrator clusters, RestoredCopies copies, SchemaBook book, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.book = book;
        this.clock = clock;
        this.migrations = new MigrationsCheck(run, copies, clock);
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        if (run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        run.progress().begin("compare schemas", null, "");
        ManagedCluster cluster = clusters.cluster(run.cluster());
        try {
            compare(cluster, run.settings(IntegritySettings.class).schema());
        } catch (NightshiftException unavailable) {
            if (unavailable.kind() != FailureKind.POSTGRES_UNAVAILABLE) {
                throw unavailable;
            }
            run.notEvaluated(new NotEvaluated(
                    "schemas of cluster " + cluster.name(),
                    String.valueOf(unavailable.getMessage()),
                    SchemaFindings.KEYS));
        }
        if (!table.isEmpty()) {
            run.section(Section.table(
                    "schemas",
                    List.of("database", "objects", "fingerprint", "since last time", "from what was accepted"),
                    table));
        }
        return RepeatStatus.FINISHED;
    }

    private void compare(ManagedCluster cluster, SchemaSettings settings) {
        ManagedNode primary = cluster.node(Intent.PRIMARY);
        PresentDatabases present = PresentDatabases.of(primary, cluster, run);
        Set<String> seen = settings.looksFor(Part.DRIFT) ? book.databasesSeenBefore(run) : Set.of();
        new ExpectedDatabases(run, book, settings, present).tell(seen, clock.instant());
        for (String database : present.lookedAt()) {
            compare(primary, database, settings, !seen.isEmpty() && !seen.contains(database));
        }
    }

    /** @param isNew whether others were looked at before, and it was not among them */
    private void compare(ManagedNode primary, String database, SchemaSettings settings, boolean isNew) {
        Optional<KeptSchema> before = settings.looksFor(Part.DRIFT)
                ? kept(SchemaFindings.DRIFT, database, () -> book.seenBefore(run, database))
                : Optional.empty();
        Schema live = read(
                primary,
                database,
                before.map(kept -> kept.schema().fingerprint()).orElse(null),
                reason -> run.notEvaluated(
                        new NotEvaluated("schema of database " + database, reason, SchemaFindings.keysOf(database))));
        if (live == null) {
            return;
        }
        if (isNew) {
            run.report(new Finding(
                    SchemaFindings.DRIFT + database, Severity.INFO, "database " + database, "is new", null));
        }
        Instant now = clock.instant();
        String drift = before.map(kept -> report(SchemaFindings.drift(database, kept), kept.schema(), live, settings))
                .orElse("first look");
        String accepted = settings.looksFor(Part.ACCEPTED)
                ? kept(SchemaFindings.ACCEPTED, database, () -> book.accepted(run.cluster(), database))
                        .map(kept -> report(SchemaFindings.accepted(database, kept), kept.schema(), live, settings))
                        .orElse("none accepted")
                : NOT_LOOKED_FOR;
        if (settings.looksFor(Part.HISTORY)) {
            evaluated(
                    "migrations of database " + database,
                    "",
                    MigrationsCheck.keysOf(database),
                    () -> migrations.judge(
                            primary, database, live, settings.migrations().get(database)));
        }
        ClusterDatabase other = settings.like().get(database);
        if (other != null) {
            compareWith(other, database, live);
        }
        if (settings.looksFor(Part.DRIFT) && !drift.equals(NOT_EVALUATED)) {
            book.saw(run, database, toBeKept(live, before, settings), now);
        }
        table.add(List.of(
                database,
                Integer.toString(live.size()),
                live.fingerprint().substring(0, FINGERPRINT),
                settings.looksFor(Part.DRIFT) ? drift : NOT_LOOKED_FOR,
                accepted));
    }

    /** Changes of rights that nobody asked for this time are still to be told. */
    private static Schema toBeKept(Schema live, Optional<KeptSchema> before, SchemaSettings settings) {
        return settings.looksFor(Part.RIGHTS)
                ? live
                : before.map(kept -> live.withRightsAsBefore(kept.schema())).orElse(live);
    }

    /** Empty also where it cannot be read any more, which is told. */
    private Optional<KeptSchema> kept(String keys, String database, Supplier<Optional<KeptSchema>> kept) {
        try {
            return kept.get();
        } catch (NightshiftException damaged) {
            if (damaged.kind() != FailureKind.DATA_DAMAGED) {
                throw damaged;
            }
            run.notEvaluated(new NotEvaluated(
                    "schema of database " + database,
                    String.valueOf(damaged.getMessage()),
                    List.of(keys + database + ".")));
            return Optional.empty();
        }
    }

    private String report(SchemaFindings findings, Schema expected, Schema live, SchemaSettings settings) {
        var count = new AtomicLong();
        boolean evaluated = evaluated(
                "schema of database " + findings.database() + " against " + findings.from(),
                "",
                List.of(findings.prefix()),
                () -> count.set(
                        settings.looksFor(Part.RIGHTS)
                                ? findings.report(run, expected, live)
                                : findings.report(run, expected.withRightsOf(live), live.withRightsOnlyIn(expected))));
        return !evaluated
                ? NOT_EVALUATED
                : count.get() == 0 ? "the same" : count + (count.get() == 1 ? " difference" : " differences");
    }

    private void compareWith(ClusterDatabase other, String database, Schema live) {
        SchemaFindings findings = SchemaFindings.like(database, other);
        String subject = "database " + database + " against " + other;
        evaluated(subject, LIKE, List.of(findings.prefix()), () -> {
            if (other.cluster().equals(run.cluster()) && other.database().equals(database)) {
                throw new NightshiftException(FailureKind.CONFIGURATION, "it is the same database");
            }
            Schema expected = read(
                    clusters.cluster(other.cluster()).node(Intent.PRIMARY),
                    other.database(),
                    null,
                    reason -> run.notEvaluated(new NotEvaluated(subject, LIKE + reason, List.of(findings.prefix()))));
            if (expected != null) {
                findings.report(run, expected.withRightsOf(live), live.withRightsOnlyIn(expected));
            }
        });
    }

    /**
     * What one database cannot be judged for keeps nobody from the others.
     *
     * @param setting that asks for it, as the reason begins; may be empty
     */
    private boolean evaluated(String subject, String setting, List<String> keys, Runnable work) {
        try {
            work.run();
            return true;
        } catch (RuntimeException | Error failed) {
            run.notEvaluated(new NotEvaluated(subject, setting + reason(failed, subject), keys));
            return false;
        }
    }

    private String reason(Throwable failed, String subject) {
        run.cancellation().check();
        NightshiftException known = NightshiftException.of(failed);
        if (known.kind() == FailureKind.BUG) {
            LOG.error("{} not evaluated", subject, failed);
        }
        return String.valueOf(known.getMessage());
    }

    /** Null where the server does not let it be read. */
    private @Nullable Schema read(
            ManagedNode primary, String database, @Nullable String known, Consumer<String> unreadable) {
        try (Connection session = primary.directToOneOf(database, run.purpose())) {
            return SchemaReader.readTwice(session, LIMIT, known, run.cancellation());
        } catch (SQLException e) {
            run.cancellation().check();
            unreadable.accept(CheckFailure.message(e));
        } catch (RuntimeException | Error failed) {
            if (failed instanceof NightshiftException unavailable
                    && unavailable.kind() == FailureKind.POSTGRES_UNAVAILABLE) {
                throw unavailable;
            }
            unreadable.accept(reason(failed, "schema of database " + database));
        }
        return null;
    }
}
