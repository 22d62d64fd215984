package io.nightshift.jobs.integrity;

import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.schema.KeptSchema;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaComparison;
import io.nightshift.infra.schema.SchemaDifference;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What differs between a schema and what it should be, as findings of one database.
 *
 * @param keys how their keys begin, before the name of the database
 * @param from what it is compared with, as people name it
 * @param isDrift whether it is compared with what it was: told once, and by itself neither right nor wrong
 * @param against the options with which {@code nightshift schema diff} shows the same
 */
record SchemaFindings(String keys, String database, String from, boolean isDrift, String against) {

    static final String DRIFT = Target.KEY + "schema-drift/";
    static final String ACCEPTED = Target.KEY + "schema/";
    static final String LIKE = Target.KEY + "schema-like/";

    static final String MIGRATED = Target.KEY + "schema-migrated/";

    /** How the keys of all findings about schemas begin. */
    static final List<String> KEYS = List.of(DRIFT, ACCEPTED, LIKE, MigrationsCheck.KEY, MIGRATED);

    /** How keys go on, behind the name of the database, that are about the rights of roles. */
    static final List<String> RIGHTS = List.of("owner of ", "privileges ");

    /** More of them nobody reads; a command shows all. */
    static final int MOST = 50;

    private static final int SHOWN = 300;
    /** Of what is the same before the first difference. */
    private static final int BEFORE = 60;

    static SchemaFindings drift(String database, KeptSchema before) {
        return new SchemaFindings(
                DRIFT,
                database,
                before.by() + " at " + before.at().truncatedTo(ChronoUnit.SECONDS),
                true,
                " --since " + before.by().replaceFirst("^run ", ""));
    }

    static SchemaFindings accepted(String database, KeptSchema accepted) {
        return new SchemaFindings(
                ACCEPTED,
                database,
                "what " + accepted.by() + " accepted at " + accepted.at().truncatedTo(ChronoUnit.SECONDS),
                false,
                "");
    }

    static SchemaFindings like(String database, ClusterDatabase other) {
        return new SchemaFindings(
                LIKE,
                database,
                "database " + other.database() + " of cluster " + other.cluster(),
                false,
                " --like " + quoted(other.toString()));
    }

    static SchemaFindings migrated(String database, Path folder) {
        return new SchemaFindings(
                MIGRATED,
                database,
                "an empty database after the migrations of " + folder,
                false,
                " --migrations " + quoted(folder.toString()));
    }

    /** How the keys of all findings about the schema of a database begin. */
    static List<String> keysOf(String database) {
        return KEYS.stream().map(keys -> keys + database + ".").toList();
    }

    /** As a shell takes it. */
    static String quoted(String argument) {
        return argument.matches("[A-Za-z0-9_./:@%+-]+")
                ? argument
                : argument.chars().noneMatch(Character::isISOControl)
                        ? "'" + argument.replace("'", "'\\''") + "'"
                        : "$'" + escaped(argument).replace("'", "\\'") + "'";
    }

    /** The keys of its findings begin so. */
    String prefix() {
        return keys + database + ".";
    }

    /** Reports where they differ; returns in how many objects. */
    long report(RunContext run, Schema expected, Schema actual) {
        List<SchemaDifference> differences = SchemaComparison.of(expected, actual).differences().stream()
                .sorted(Comparator.comparing(this::severity).reversed().thenComparing(SchemaDifference::object))
                .toList();
        String command = "nightshift schema diff " + run.cluster() + " --database " + quoted(database) + against;
        differences.stream()
                .limit(MOST)
                .map(difference -> finding(difference, run.cluster(), command))
                .forEach(run::report);
        if (differences.size() > MOST) {
            // Those that are not told may have been told before, and are still there.
            run.leftAlone(prefix());
            run.report(new Finding(
                    prefix() + "more",
                    severity(differences.get(MOST)),
                    "more objects in database " + database,
                    differences.size() - MOST + " more " + (isDrift ? "have changed since " : "are not as in ") + from,
                    command + (isDrift ? " shows all, until the next run" : " shows all")));
        }
        return differences.size();
    }

    private Finding finding(SchemaDifference difference, String cluster, String command) {
        return new Finding(
                prefix() + difference.object(),
                severity(difference),
                (difference.object() + " in database " + database).replaceAll("\\p{Cntrl}", " "),
                detail(difference),
                remedy(difference, cluster, command));
    }

    private Severity severity(SchemaDifference difference) {
        if (difference.isInformation() || (difference.isUnexpected() && isDrift)) {
            return Severity.INFO;
        }
        return isDrift || difference.isUnexpected() || difference.isPartition() ? Severity.WARNING : Severity.ERROR;
    }

    private String detail(SchemaDifference difference) {
        String more = difference.inside() == 0
                ? ""
                : ", with " + difference.inside() + (difference.inside() == 1 ? " object" : " objects") + " of it";
        if (difference.isMissing()) {
            return (isDrift ? "is gone since " : "is missing, unlike in ") + from + more + shown(difference.expected());
        }
        if (difference.isUnexpected()) {
            return (isDrift ? "is new since " : "is unexpected, not in ") + from + more + shown(difference.actual());
        }
        List<String> both = bothShown(String.valueOf(difference.actual()), String.valueOf(difference.expected()));
        return (difference.isOnlyOrder()
                        ? "has another order than in "
                        : isDrift ? "has changed since " : "is not as in ")
                + from + ": is " + both.get(0) + "; " + (isDrift ? "was " : "should be ") + both.get(1);
    }

    /** A statement is shown whole, or not at all: half of one may do something else. */
    private @Nullable String remedy(SchemaDifference difference, String cluster, String command) {
        if (difference.statements().isEmpty()) {
            return null;
        }
        String statements =
                difference.statements().stream().map(SchemaFindings::onOneLine).collect(Collectors.joining("; "));
        boolean isWhole = statements.length() <= SHOWN && statements.chars().noneMatch(Character::isISOControl);
        return (isDrift ? "if it was not meant: " : "")
                + (isWhole ? statements : command + " --sql shows the statements")
                + (!keys.equals(ACCEPTED)
                        ? ""
                        : "; or, if it is meant: nightshift schema accept " + cluster + " --database "
                                + quoted(database));
    }

    /** A comment before it would make all of it one. */
    private static String onOneLine(String statement) {
        if (!statement.startsWith("-- ")) {
            return statement;
        }
        int end = statement.indexOf('\n');
        String comment = statement.substring("-- ".length(), end < 0 ? statement.length() : end);
        return end < 0 ? comment : statement.substring(end + 1) + " (" + comment + ")";
    }

    private static String shown(@Nullable String definition) {
        return definition == null || definition.isEmpty() ? "" : ": " + part(spaced(definition), 0);
    }

    /** The parts of both around what is not the same; white space counts only where nothing else differs. */
    private static List<String> bothShown(String actual, String expected) {
        boolean isSpace = spaced(actual).equals(spaced(expected));
        String here = isSpace ? escaped(actual) : spaced(actual);
        String there = isSpace ? escaped(expected) : spaced(expected);
        int same = 0;
        while (same < Math.min(here.length(), there.length()) && here.charAt(same) == there.charAt(same)) {
            same++;
        }
        return List.of(part(here, same), part(there, same));
    }

    private static String part(String text, int interesting) {
        if (text.isEmpty()) {
            return "nothing more";
        }
        if (text.length() <= SHOWN) {
            return text;
        }
        int from = between(text, Math.max(0, Math.min(interesting - BEFORE, text.length() - SHOWN)));
        int to = between(text, Math.min(text.length(), from + SHOWN));
        return (from > 0 ? "…" : "") + text.substring(from, to) + (to < text.length() ? "…" : "");
    }

    /** Not in the middle of a character. */
    private static int between(String text, int index) {
        return index > 0 && index < text.length() && Character.isLowSurrogate(text.charAt(index)) ? index - 1 : index;
    }

    private static String spaced(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\")
                .replace("\n", "\\n")
                .replace("\r", "\\r")
                .replace("\t", "\\t");
    }
}
