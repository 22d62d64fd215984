package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.TableName;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A table of the temporary copy, and where its rows are.
 *
 * @param leaves those that hold rows: the table itself, or the partitions below it
 * @param members everything in its tree of partitions, the table first
 * @param foreign partitions whose rows are on other servers
 */
record CopiedTable(
        long oid,
        String schema,
        String name,
        boolean unlogged,
        List<Column> columns,
        List<Qualified> leaves,
        List<Qualified> members,
        List<Qualified> foreign) {

    private static final int LONGEST_FILE_NAME = 180;

    /** @param generated it has no data of its own */
    record Column(String name, String type, boolean required, boolean generated) {}

    /** A relation's full name. */
    record Qualified(String schema, String name) {

        String quoted() {
            return Identifiers.quoted(schema) + "." + Identifiers.quoted(name);
        }

        @Override
        public String toString() {
            return new TableName(schema, name).toString();
        }
    }

    Qualified qualified() {
        return new Qualified(schema, name);
    }

    /** What COPY takes behind the table's name; nothing where there is no column to name. */
    String columnList() {
        String names = columns.stream()
                .filter(column -> !column.generated())
                .map(column -> Identifiers.quoted(column.name()))
                .collect(Collectors.joining(", "));
        return names.isEmpty() ? "" : " (" + names + ")";
    }

    /** For files: letters, digits, {@code _} and {@code -} as they are, one dot, all other bytes as %XX. */
    String fileName() {
        String whole = fileName(schema) + "." + fileName(name);
        return whole.length() <= LONGEST_FILE_NAME ? whole : whole.substring(0, LONGEST_FILE_NAME) + "-" + oid;
    }

    static String fileName(String part) {
        StringBuilder safe = new StringBuilder();
        for (byte one : part.getBytes(StandardCharsets.UTF_8)) {
            boolean plain = one > 0 && (Character.isLetterOrDigit(one) || one == '_' || one == '-');
            safe.append(plain ? Character.toString(one) : String.format("%%%02X", one & 0xff));
        }
        return safe.toString();
    }

    @Override
    public String toString() {
        return qualified().toString();
    }
}
