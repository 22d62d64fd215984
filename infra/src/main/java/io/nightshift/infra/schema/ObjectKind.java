package io.nightshift.infra.schema;

import java.util.Locale;

/** What a schema is made of, in the order in which it can be made: what comes later needs what came before. */
public enum ObjectKind {
    SCHEMA,
    EXTENSION,
    COLLATION,
    ENUM,
    COMPOSITE,
    ATTRIBUTE,
    DOMAIN,
    RANGE,
    SEQUENCE,
    FUNCTION,
    CAST,
    OPERATOR,
    AGGREGATE,
    TEXT_SEARCH_DICTIONARY,
    TEXT_SEARCH_CONFIGURATION,
    TEXT_SEARCH_MAPPING,
    FOREIGN_DATA_WRAPPER,
    SERVER,
    USER_MAPPING,
    TABLE,
    FOREIGN_TABLE,
    COLUMN,
    COLUMN_ORDER,
    DEFAULT,
    NOT_NULL,
    IDENTITY,
    OWNED_BY,
    CONSTRAINT,
    ATTACHMENT,
    INHERITANCE,
    VIEW,
    MATERIALIZED_VIEW,
    INDEX,
    STATISTICS,
    RULE,
    TRIGGER,
    POLICY,
    UNLOGGED,
    ROW_SECURITY,
    FORCED_ROW_SECURITY,
    REPLICA_IDENTITY,
    CLUSTER_MARK,
    OPTION,
    INDEX_OPTION,
    STATISTICS_TARGET,
    COLUMN_OPTIONS,
    PUBLICATION,
    PUBLISHED_TABLE,
    PUBLISHED_SCHEMA,
    EVENT_TRIGGER,
    TRIGGER_STATE,
    PARTITION_TRIGGER_STATE,
    RULE_STATE,
    SUBSCRIPTION,
    SETTING,
    OWNER,
    PRIVILEGES,
    DEFAULT_PRIVILEGES,
    SYSTEM_PRIVILEGES;

    /** Whether rows live in it. */
    boolean isTable() {
        return this == TABLE || this == FOREIGN_TABLE;
    }

    /** Whether the first schemas that were stored are without it because it was not looked at; later ones say that themselves. */
    boolean isSinceSecondFormat() {
        return switch (this) {
            case CAST,
                    OPERATOR,
                    TEXT_SEARCH_DICTIONARY,
                    TEXT_SEARCH_CONFIGURATION,
                    TEXT_SEARCH_MAPPING,
                    FOREIGN_DATA_WRAPPER,
                    USER_MAPPING,
                    PARTITION_TRIGGER_STATE,
                    RULE_STATE,
                    CLUSTER_MARK,
                    INDEX_OPTION,
                    STATISTICS_TARGET,
                    COLUMN_OPTIONS,
                    SUBSCRIPTION,
                    SETTING,
                    DEFAULT_PRIVILEGES,
                    SYSTEM_PRIVILEGES -> true;
            default -> false;
        };
    }

    /** Whether it is named by a column of its table, and goes with it. */
    boolean isOfColumn() {
        return this == DEFAULT || this == NOT_NULL || this == IDENTITY;
    }

    /** Whether it is set for a column of its table, where it is named by one. */
    boolean isSetForColumn() {
        return this == STATISTICS_TARGET || this == COLUMN_OPTIONS;
    }

    /** Whether it is written between the parentheses of {@code CREATE TABLE} or {@code CREATE TYPE}, or behind them. */
    boolean isWrittenInside() {
        return this == COLUMN || isOfColumn() || this == ATTRIBUTE || isTie();
    }

    /** Whether it makes a table part of another one, from which it has columns then. */
    boolean isTie() {
        return this == ATTACHMENT || this == INHERITANCE;
    }

    /** Whether it says who may do what, or how their sessions begin, and not what there is. */
    boolean isRight() {
        return this == OWNER
                || this == PRIVILEGES
                || this == DEFAULT_PRIVILEGES
                || this == SYSTEM_PRIVILEGES
                || this == SETTING;
    }

    /** The type of object as SQL calls it. */
    String sql() {
        return switch (this) {
            case ENUM, COMPOSITE, RANGE -> "TYPE";
            case FUNCTION, AGGREGATE -> "ROUTINE";
            default -> name().replace('_', ' ');
        };
    }

    /** The same for people; several kinds may share it. */
    String words() {
        return switch (this) {
            case ENUM, COMPOSITE, RANGE -> "type";
            default -> name().toLowerCase(Locale.ROOT).replace('_', ' ');
        };
    }
}
