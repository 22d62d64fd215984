package io.nightshift.infra.index.plan;

/**
 * What a scan asks of one column or expression of its table.
 *
 * @param key the column's name; or an expression of columns, as SQL takes it
 * @param operand what it is compared with; empty for none
 * @param sql the condition as SQL takes it, without the name of the table
 */
record Clause(Kind kind, String key, boolean isColumn, String operand, String sql) {

    enum Kind {
        EQUAL,
        ANY,
        ABOVE,
        BELOW,
        NULL,
        NOT_NULL,
        TRUE,
        FALSE
    }

    private static final String LITERAL = "'(?:[^']|'')*'(?:::[\\w\". ]+)?|-?\\d+(?:\\.\\d+)?";
    /** Whose types are named alike everywhere. */
    private static final String PLAIN_LITERAL = "'(?:[^']|'')*'(?:::(?:text|date))?|-?\\d+(?:\\.\\d+)?";

    /** Whether an index leads to one place in its order, or a few, for it. */
    boolean isEquality() {
        return switch (kind) {
            case EQUAL, ANY, NULL, TRUE, FALSE -> true;
            default -> false;
        };
    }

    boolean isRange() {
        return kind == Kind.ABOVE || kind == Kind.BELOW;
    }

    /** Whether it is the same in every execution, so that an index may be made for it alone. */
    boolean isConstant() {
        return isColumn
                && switch (kind) {
                    case NULL, NOT_NULL, TRUE, FALSE -> true;
                    case EQUAL -> operand.matches(PLAIN_LITERAL);
                    default -> false;
                };
    }

    boolean isLiteral() {
        return operand.matches(LITERAL);
    }

    /** What is compared with, without quotes and type; only of literals. */
    String literal() {
        return operand.replaceFirst("::[\\w\". ]+$", "")
                .replaceFirst("^'(.*)'$", "$1")
                .replace("''", "'");
    }

    /** How many values are asked for. */
    int values() {
        if (kind != Kind.ANY) {
            return 1;
        }
        int commas = (int) operand.chars().filter(c -> c == ',').count();
        return operand.contains("[") || operand.contains("{") ? commas + 1 : UNKNOWN_VALUES;
    }

    /** What the planner takes an array of unknown length for. */
    private static final int UNKNOWN_VALUES = 10;
}
