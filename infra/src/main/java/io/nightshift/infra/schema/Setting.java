package io.nightshift.infra.schema;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A setting of this database, or of a role in it. Every role sets its own as it likes, and whoever mends runs the statement as
 * somebody who may do more: nothing of it is printed without quotes.
 *
 * @param role as SQL takes it; null if it is of the database
 */
record Setting(String name, @Nullable String role) {

    /** Those whose elements the server quotes one by one, as {@code variable_is_guc_list_quote} of pg_dump lists them. */
    private static final Set<String> LISTS = Set.of(
            "local_preload_libraries",
            "search_path",
            "session_preload_libraries",
            "shared_preload_libraries",
            "temp_tablespaces",
            "unix_socket_directories");
    /** Those of them whose elements are names, in which the server takes capitals without quotes for small letters. */
    private static final Set<String> LISTS_OF_NAMES = Set.of("search_path", "temp_tablespaces");

    private static final Pattern WRITTEN =
            Pattern.compile("(.*?)(?: FOR ROLE ([a-z_][a-z0-9_]*|\"(?:[^\"]|\"\")*+\"))?", Pattern.DOTALL);
    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_]*");
    private static final Pattern ELEMENT = Pattern.compile("\\s*(?:\"((?:[^\"]|\"\")*+)\"|([^\",\\s]+))\\s*(,|$)");

    /** @param object how it is called as an object of a schema, such as {@code work_mem FOR ROLE clerk} */
    static Setting of(String object) {
        Matcher written = WRITTEN.matcher(object);
        return written.matches() ? new Setting(written.group(1), written.group(2)) : new Setting(object, null);
    }

    /** What stands behind {@code TO}: one literal, or one for each element of a list. */
    String definition(String value) {
        List<String> elements = LISTS.contains(name) ? elements(value) : List.of(value);
        return elements.stream().map(Literal::of).collect(Collectors.joining(", "));
    }

    /** What was kept of lists was the value itself, unless it was empty. */
    String definitionOfSecondFormat(String kept) {
        return LISTS.contains(name) && !kept.equals("''") ? definition(kept) : kept;
    }

    /** What is no list is one element. */
    private List<String> elements(String value) {
        List<String> elements = new ArrayList<>();
        Matcher element = ELEMENT.matcher(value);
        boolean goesOn = true;
        while (goesOn) {
            if (!element.lookingAt()) {
                return List.of(value);
            }
            String quoted = element.group(1);
            String plain = String.valueOf(element.group(2));
            elements.add(
                    quoted != null
                            ? quoted.replace("\"\"", "\"")
                            : LISTS_OF_NAMES.contains(name) ? plain.toLowerCase(Locale.ROOT) : plain);
            goesOn = !element.group(3).isEmpty();
            element.region(element.end(), value.length());
        }
        return elements;
    }

    /** Only names that somebody has thought of are those of secrets, not such as {@code password_encryption}. */
    String withoutSecret(String definition) {
        return ForeignOptions.withoutSecret(name.contains(".") ? name : "", definition);
    }

    String set(String definition) {
        return alter(" SET " + quotedName() + " TO " + definition);
    }

    String reset() {
        return alter(" RESET " + quotedName());
    }

    private String quotedName() {
        return PLAIN.matcher(name).matches() ? name : "\"" + name.replace("\"", "\"\"") + "\"";
    }

    /** Whatever the name of the database is where the statement is run. */
    private String alter(String change) {
        String of = role == null ? "DATABASE %I" : "ROLE " + role.replace("%", "%%") + " IN DATABASE %I";
        String body = "BEGIN EXECUTE format(" + Literal.of("ALTER " + of + change.replace("%", "%%"))
                + ", current_database()); END";
        return "DO " + Literal.inDollars("setting", body);
    }
}
