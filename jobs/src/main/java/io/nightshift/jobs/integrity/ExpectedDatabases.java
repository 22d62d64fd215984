package io.nightshift.jobs.integrity;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.schema.KeptSchema;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.jobs.integrity.SchemaSettings.Part;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What is to be said of databases that something is expected of, and that are not looked at. */
record ExpectedDatabases(RunContext run, SchemaBook book, SchemaSettings settings, PresentDatabases present) {

    /** @param seen of which it is known how they were */
    void tell(Set<String> seen, Instant now) {
        Set<String> accepted = new TreeSet<>(book.databasesAccepted(run.cluster()));
        leaveAlone(accepted);
        if (settings.looksFor(Part.ACCEPTED)) {
            accepted.stream().filter(present::isGone).forEach(this::reportAcceptedGone);
        }
        seen.stream().filter(present::isGone).sorted().forEach(database -> reportGone(database, now));
        settings.like().keySet().stream()
                .filter(this::isNotThere)
                .forEach(database -> run.notEvaluated(new NotEvaluated(
                        "database " + database + " against " + settings.like().get(database),
                        "settings.schema.like: " + present.whyNot(database),
                        List.of(SchemaFindings.LIKE + database + "."))));
        settings.migrations().keySet().stream()
                .filter(this::isNotThere)
                .forEach(database -> run.notEvaluated(new NotEvaluated(
                        "migrations of database " + database,
                        "settings.schema.migrations: " + present.whyNot(database),
                        MigrationsCheck.keysOf(database))));
        Set<String> expected = new TreeSet<>(accepted);
        expected.addAll(seen);
        expected.addAll(settings.like().keySet());
        expected.addAll(settings.migrations().keySet());
        expected.stream()
                .filter(present::isClosed)
                .forEach(database -> run.notEvaluated(new NotEvaluated(
                        "schema of database " + database, present.whyNot(database), SchemaFindings.keysOf(database))));
    }

    private boolean isNotThere(String database) {
        return !present.lookedAt().contains(database) && !present.isClosed(database);
    }

    /**
     * What was accepted and is not asked for this time may still differ, for as long as it is accepted; drift is over by the next
     * night, whoever looks for it.
     */
    private void leaveAlone(Set<String> accepted) {
        for (String database : accepted) {
            String keys = SchemaFindings.ACCEPTED + database + ".";
            if (!settings.looksFor(Part.ACCEPTED) || present.isLeftOut(database)) {
                run.leftAlone(keys);
            } else if (!settings.looksFor(Part.RIGHTS)) {
                SchemaFindings.RIGHTS.forEach(right -> run.leftAlone(keys + right));
            }
        }
        if (!settings.looksFor(Part.HISTORY)) {
            run.leftAlone(MigrationsCheck.KEY);
        }
    }

    private void reportAcceptedGone(String database) {
        run.report(new Finding(
                SchemaFindings.ACCEPTED + database + ".database",
                Severity.ERROR,
                "database " + database,
                "is gone, and a schema of it is accepted",
                "nightshift restore brings it back from a backup; or, if it is meant: nightshift schema accept "
                        + run.cluster() + " --database " + SchemaFindings.quoted(database) + " --remove"));
    }

    private void reportGone(String database, Instant now) {
        run.report(new Finding(
                SchemaFindings.DRIFT + database,
                Severity.WARNING,
                "database " + database,
                "is gone since " + lastLook(database),
                "if it was not meant: nightshift restore brings it back from a backup"));
        book.sawNone(run, database, now);
    }

    private String lastLook(String database) {
        try {
            return book.seenBefore(run, database).map(KeptSchema::by).orElse("the last run");
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.DATA_DAMAGED) {
                throw failed;
            }
            return "the last run";
        }
    }
}
