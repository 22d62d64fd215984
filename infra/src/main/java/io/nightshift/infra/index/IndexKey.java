package io.nightshift.infra.index;

/**
 * One of the columns or expressions that an index is ordered, hashed or searched by.
 *
 * @param text the column's name, or the expression as PostgreSQL prints it
 * @param operatorClass its OID
 * @param family the OID of the operator class's family
 * @param parameters of the operator class, such as {@code siglen=32}; empty for none
 * @param collation its OID; 0 for types without
 * @param order {@code indoption}: 1 for descending, 2 for nulls first
 * @param statistics how finely ANALYZE looks at an expression; -1 where nobody has said
 */
public record IndexKey(
        String text,
        boolean isColumn,
        long operatorClass,
        long family,
        String parameters,
        long collation,
        int order,
        int statistics) {

    /** Descending and nulls first: an index read backwards. */
    private static final int REVERSED = 3;

    /** Whether it is the same in the same order, or in the opposite one. */
    boolean isSame(IndexKey other, boolean reversed) {
        return isColumn == other.isColumn
                && text.equals(other.text)
                && operatorClass == other.operatorClass
                && parameters.equals(other.parameters)
                && collation == other.collation
                && (reversed ? order ^ REVERSED : order) == other.order;
    }
}
