package io.nightshift.infra.index;

/**
 * The name of a table or an index, as people and the keys of findings say it.
 *
 * @param sql as SQL takes it, with its schema
 */
public record RelationName(String schema, String name, String sql) {

    @Override
    public String toString() {
        return schema + "." + name;
    }
}
