package io.nightshift.infra.schema;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One object of a schema.
 *
 * @param name as SQL takes it, with its schema where it has one; empty where what it is part of has only one of its kind
 * @param parent the identity of what it is part of; null if it stands for itself
 * @param definition what SQL says behind its name, or the whole statement; the same for the same meaning
 * @param needs the identities of what must be there before it
 * @param printed the definition as the server printed it, from which it is made; null if it is the same
 */
public record SchemaObject(
        ObjectKind kind,
        String name,
        @Nullable String parent,
        String definition,
        List<String> needs,
        @Nullable String printed) {

    public SchemaObject {
        needs = List.copyOf(needs);
    }

    public SchemaObject(ObjectKind kind, String name, @Nullable String parent, String definition, List<String> needs) {
        this(kind, name, parent, definition, needs, null);
    }

    /** The definition from which it is made. */
    String sql() {
        return printed == null ? definition : printed;
    }

    /** What it is called, such as {@code column total of table shop.orders}: the same in every schema that has it. */
    public String identity() {
        return identity(kind, name, parent);
    }

    static String identity(ObjectKind kind, String name, @Nullable String parent) {
        return kind.words() + (name.isEmpty() ? "" : " " + name) + (parent == null ? "" : " of " + parent);
    }

    /** The column that it is named by. */
    @Nullable
    String column() {
        return (kind.isOfColumn() || kind.isSetForColumn()) && parent != null
                ? identity(ObjectKind.COLUMN, name, parent)
                : null;
    }
}
