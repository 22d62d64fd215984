package io.nightshift.infra.index;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What makes an index again as it was.
 *
 * @param sql its name as SQL takes it
 * @param name the same without its schema, as the definition has it
 * @param definition {@code pg_get_indexdef}, which knows neither tablespace nor comment
 * @param predicate as the definition ends with it; null of an index of all rows
 * @param tablespace as SQL takes it; null for the database's own
 * @param comment as a literal; null for none
 * @param statistics what ANALYZE was told of its expressions, as actions of ALTER INDEX
 */
public record IndexDefinition(
        String sql,
        String name,
        String definition,
        @Nullable String predicate,
        @Nullable String tablespace,
        @Nullable String comment,
        List<String> statistics) {

    private static final String INDEX = "INDEX ";

    public IndexDefinition {
        statistics = List.copyOf(statistics);
    }

    /** @param concurrently whether writers need not wait; a partitioned index cannot be made so */
    List<String> statements(boolean concurrently) {
        List<String> statements = new ArrayList<>();
        statements.add(
                concurrently
                        ? placed().replaceFirst("^CREATE( UNIQUE)? INDEX ", "CREATE$1 INDEX CONCURRENTLY ")
                        : placed());
        if (!statistics.isEmpty()) {
            statements.add("ALTER INDEX " + sql + " " + String.join(", ", statistics));
        }
        if (comment != null) {
            statements.add("COMMENT ON INDEX " + sql + " IS " + comment);
        }
        return statements;
    }

    /**
     * What follows the name of the table: method, keys, and all that is said after them. Names may hold whatever a definition
     * does, and are passed over by their length. Empty if the table has another name meanwhile.
     *
     * @param table as SQL takes it
     */
    Optional<String> shape(String table) {
        String on = " ON ";
        String head = definition.substring(definition.indexOf(INDEX) + INDEX.length() + name.length());
        String only = head.startsWith(on + "ONLY ") ? "ONLY " : "";
        return head.startsWith(on + only + table + " USING ")
                ? Optional.of(head.substring(on.length() + only.length() + table.length()))
                : Optional.empty();
    }

    private String placed() {
        if (tablespace == null) {
            return definition;
        }
        String condition = predicate == null ? "" : " WHERE " + predicate;
        return definition.substring(0, definition.length() - condition.length()) + " TABLESPACE " + tablespace
                + condition;
    }
}
