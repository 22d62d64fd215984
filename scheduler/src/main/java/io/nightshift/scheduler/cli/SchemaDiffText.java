package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.schema.SchemaComparison;
import io.nightshift.infra.schema.SchemaDifference;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Compared schemas as people, and psql, read them. */
final class SchemaDiffText {

    private final PrintWriter out;

    SchemaDiffText(PrintWriter out) {
        this.out = out;
    }

    /** @param isOnly whether the statements of no other database stand beside its own */
    void printScript(ComparedSchema compared, boolean isOnly) {
        SchemaComparison comparison = compared.comparison();
        if (comparison == null || comparison.statements().isEmpty()) {
            return;
        }
        out.println(onOneLine("-- database " + compared.database() + ", to be as " + compared.against()));
        if (!isOnly) {
            out.println(connect(compared.database()));
        }
        out.println(comparison.script());
    }

    /** So that the statements of one database are not run in another. */
    private static String connect(String database) {
        if (database.chars().anyMatch(Character::isISOControl)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "psql cannot connect to database " + onOneLine(database) + ", whose name breaks a line",
                    "--database prints the statements of one database only.");
        }
        String value = database.replace("\\", "\\\\").replace("'", "\\'").replace("\"", "\"\"");
        return "\\connect -reuse-previous=on \"dbname='" + value + "'\"";
    }

    void print(ComparedSchema compared) {
        int count = compared.differences().size();
        out.println("database " + onOneLine(compared.database())
                + (compared.comparison() == null
                        ? ": no schema of it is accepted (nightshift schema accept keeps the present one)"
                        : ", against " + compared.against() + ": "
                                + (count == 0 ? "the same" : count + (count == 1 ? " difference" : " differences"))
                                + (compared.byHand() == 0 ? "" : ", " + compared.byHand() + " to be mended by hand")));
        for (SchemaDifference difference : compared.differences()) {
            out.println("  " + difference.word() + " " + onOneLine(difference.object())
                    + (difference.inside() == 0 ? "" : " (with " + difference.inside() + " of it)")
                    + (difference.isInformation() ? ", for information" : ""));
            line("is       ", difference.actual());
            line("should be", difference.expected());
            difference
                    .statements()
                    .forEach(statement -> (statement + ";").lines().forEach(line -> out.println("    > " + line)));
        }
    }

    /** Whole, as it is: what is left out, or white space, may be all that differs. */
    private void line(String word, @Nullable String definition) {
        if (definition != null && !definition.isEmpty()) {
            out.println("    " + word + " "
                    + definition.stripTrailing().replace("\n", "\n    " + " ".repeat(word.length() + 1)));
        }
    }

    /** A name may break a line, and what follows would look like one of ours. */
    static String onOneLine(String text) {
        return text.replaceAll("\\p{Cntrl}+", " ");
    }
}
