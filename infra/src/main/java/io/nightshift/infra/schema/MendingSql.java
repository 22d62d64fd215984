package io.nightshift.infra.schema;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The statements that make, drop and change single objects of a schema.
 *
 * @param schema what the objects are of: that which is expected, or for what is dropped that which is there
 * @param other the other of the two
 */
record MendingSql(Schema schema, Schema other) {

    private static final Pattern EXTENSION = Pattern.compile("SCHEMA (.*) VERSION (.*)", Pattern.DOTALL);
    static final Pattern QUALIFIER = Pattern.compile("(\"(?:[^\"]|\"\")*+\"|[^\".]+)\\.");
    /** As an index of a table with partitions is printed, which is made for all of them. */
    private static final Pattern OF_WHOLE_ONLY =
            Pattern.compile("^(CREATE (?:UNIQUE )?INDEX (?:\"(?:[^\"]|\"\")*+\"|[^\" ]+) ON )ONLY ");

    private static final Pattern LABEL = Pattern.compile("E?'[^']*+(?:''[^']*+)*+'");
    private static final Pattern VERSION = Pattern.compile("(?:^| )VERSION '[^']*+(?:''[^']*+)*+'");
    private static final Pattern START = Pattern.compile(" START WITH (-?\\d+)");
    private static final Pattern NUMBER = Pattern.compile("smallint|integer|bigint|numeric");
    private static final Pattern NEXT_NUMBER = Pattern.compile("nextval\\('([^']*+(?:''[^']*+)*+)'::regclass\\)");
    private static final Pattern SEQUENCE_OPTION =
            Pattern.compile("(INCREMENT BY|MINVALUE|MAXVALUE|START WITH|CACHE|NO CYCLE|CYCLE)");
    private static final String ADD_LABEL = " ADD VALUE IF NOT EXISTS ";
    /** How an index or a constraint is called while the one is made that takes its place. */
    private static final String REPLACED = "\"to be replaced\"";

    private static final String SECRET_BY_HAND = "-- by hand, since secrets are not kept: ";

    private static final String BY_HAND = "-- by hand, since it needs a connection and no transaction: ";

    private static final String NOT_VALID = " NOT VALID";
    private static final String GENERATED = " GENERATED ALWAYS AS (";
    private static final String GENERATED_AS = Pattern.quote(GENERATED);
    private static final String COLLATE = " COLLATE ";

    /** What makes an object that is not there. */
    List<String> create(SchemaObject object) {
        String remark = remarkOnSecrets(List.of(object));
        return making(object).stream().map(sql -> remark + sql).toList();
    }

    private static String remarkOnSecrets(Collection<SchemaObject> objects) {
        return objects.stream()
                .filter(object -> !ForeignOptions.secrets(object).isEmpty())
                .map(object -> remarkOnSecrets(ForeignOptions.secrets(object), object))
                .collect(Collectors.joining());
    }

    private static String remarkOnSecrets(List<String> options, SchemaObject object) {
        return options.isEmpty()
                ? ""
                : onOneLine(SECRET_BY_HAND + String.join(", ", options) + " of " + object.identity()) + "\n";
    }

    private List<String> making(SchemaObject object) {
        String name = object.name();
        String definition = ForeignOptions.known(object);
        return switch (object.kind()) {
            case SCHEMA -> List.of("CREATE SCHEMA " + name);
            case ENUM -> List.of("CREATE TYPE " + name + " AS ENUM (" + definition + ")");
            case RANGE -> List.of("CREATE TYPE " + name + " AS RANGE (" + definition + ")");
            case COLLATION -> List.of("CREATE COLLATION " + name + " (" + definition + ")");
            case DOMAIN -> List.of("CREATE DOMAIN " + name + " AS " + definition);
            case EXTENSION, SEQUENCE, SERVER, VIEW, MATERIALIZED_VIEW, PUBLICATION, EVENT_TRIGGER ->
                List.of(remark(object) + "CREATE " + object.kind().sql() + " " + name + " " + withoutEnd(definition));
            case FUNCTION, RULE, TRIGGER, STATISTICS -> List.of(withoutEnd(definition));
            case INDEX -> List.of(OF_WHOLE_ONLY.matcher(definition).replaceFirst("$1"));
            case AGGREGATE -> List.of("CREATE AGGREGATE " + definition);
            case CAST -> List.of("CREATE CAST " + name + " " + definition);
            case OPERATOR -> List.of("CREATE OPERATOR " + definition);
            case TEXT_SEARCH_DICTIONARY, TEXT_SEARCH_CONFIGURATION ->
                List.of("CREATE " + object.kind().sql() + " " + name + " (" + definition + ")");
            case TEXT_SEARCH_MAPPING ->
                List.of(alterParent(object) + "ADD MAPPING FOR " + name + " WITH " + definition);
            case SUBSCRIPTION ->
                List.of(BY_HAND + "CREATE SUBSCRIPTION " + onOneLine(name + " CONNECTION … " + definition));
            case SETTING ->
                List.of(
                        ForeignOptions.isSecret(definition)
                                ? onOneLine(SECRET_BY_HAND + object.identity())
                                : Setting.of(name).set(definition));
            case PARTITION_TRIGGER_STATE -> List.of(setTriggerOf(object, definition));
            case FOREIGN_DATA_WRAPPER -> List.of(("CREATE FOREIGN DATA WRAPPER " + name + " " + definition).strip());
            case USER_MAPPING -> List.of((ofUser("CREATE", object) + " " + definition).strip());
            case TABLE, FOREIGN_TABLE, COMPOSITE -> List.of(createWith(object, List.of()));
            case ATTRIBUTE -> List.of(alterParent(object) + "ADD ATTRIBUTE " + name + " " + definition);
            case COLUMN -> List.of(alterParent(object) + "ADD COLUMN " + name + " " + definition);
            case ATTACHMENT ->
                List.of("ALTER TABLE " + name + " ATTACH PARTITION "
                        + parent(object).name() + " " + definition);
            case INHERITANCE -> List.of(alterParent(object) + "INHERIT " + name);
            case DEFAULT -> List.of(alterColumn(object) + "SET DEFAULT " + definition);
            case NOT_NULL ->
                List.of(
                        definition.isEmpty()
                                ? alterColumn(object) + "SET NOT NULL"
                                : alterParent(object) + "ADD NOT NULL " + name + NOT_VALID);
            case IDENTITY -> List.of(alterColumn(object) + "ADD GENERATED " + definition);
            case OWNED_BY -> both(giveToOwnerOfTable(object), List.of(alterParent(object) + "OWNED BY " + definition));
            case CONSTRAINT -> List.of(alterParent(object) + "ADD CONSTRAINT " + name + " " + definition);
            case POLICY ->
                List.of("CREATE POLICY " + name + " ON " + parent(object).name() + " " + definition);
            case UNLOGGED ->
                List.of("-- loses its rows when the server crashes\n" + alterParent(object) + "SET UNLOGGED");
            case ROW_SECURITY -> List.of(alterParent(object) + "ENABLE ROW LEVEL SECURITY");
            case FORCED_ROW_SECURITY -> List.of(alterParent(object) + "FORCE ROW LEVEL SECURITY");
            case REPLICA_IDENTITY -> List.of(alterParent(object) + "REPLICA IDENTITY " + definition);
            case CLUSTER_MARK -> List.of(alterParent(parent(object)) + "CLUSTER ON " + indexOf(object));
            case INDEX_OPTION -> List.of(alterIndexOf(object) + "SET (" + name + " = " + Literal.of(definition) + ")");
            case STATISTICS_TARGET -> List.of(alterColumn(object) + "SET STATISTICS " + definition);
            case COLUMN_OPTIONS -> List.of(alterColumn(object) + "SET (" + definition + ")");
            case OPTION -> List.of(alterParent(object) + "SET (" + name + " = " + Literal.of(definition) + ")");
            case PUBLISHED_TABLE -> List.of((alterParent(object) + "ADD TABLE " + name + " " + definition).strip());
            case PUBLISHED_SCHEMA -> List.of(alterParent(object) + "ADD TABLES IN SCHEMA " + name);
            case TRIGGER_STATE -> List.of(setTrigger(object, definition));
            case RULE_STATE -> List.of(setRule(object, definition));
            case OWNER -> List.of(alterParent(object) + "OWNER TO " + definition);
            case PRIVILEGES, DEFAULT_PRIVILEGES, SYSTEM_PRIVILEGES -> rights().give(object);
            case COLUMN_ORDER -> List.of();
        };
    }

    private static String remark(SchemaObject object) {
        boolean isView = object.kind() == ObjectKind.VIEW || object.kind() == ObjectKind.MATERIALIZED_VIEW;
        return isView && ViewText.isAmbiguous(object.sql())
                ? "-- loses by which column it sorts, if that is the one that it shows under this name\n"
                : "";
    }

    /** A table, a composite type, or a column of a table that is there, with what is written inside. */
    String createWith(SchemaObject object, Collection<SchemaObject> inside) {
        if (object.kind() == ObjectKind.COLUMN) {
            return remarkOnSecrets(inside) + alterParent(object) + "ADD COLUMN " + object.name() + " "
                    + ForeignOptions.known(object) + ofColumn(object, inside);
        }
        String partition = "";
        List<String> parents = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        for (SchemaObject part : inOrder(object, inside)) {
            switch (part.kind()) {
                case ATTACHMENT -> partition = " PARTITION OF " + part.name();
                case INHERITANCE -> parents.add(part.name());
                case COLUMN, ATTRIBUTE ->
                    lines.add(part.name() + " " + ForeignOptions.known(part) + ofColumn(part, inside));
                default -> {}
            }
        }
        String bound = inside.stream()
                .filter(part -> part.kind() == ObjectKind.ATTACHMENT)
                .map(part -> " " + part.sql())
                .findFirst()
                .orElse("");
        String body = lines.isEmpty() ? "()" : "(\n    " + String.join(",\n    ", lines) + "\n)";
        String head = "CREATE " + object.kind().sql() + " " + object.name();
        if (object.kind() == ObjectKind.COMPOSITE) {
            return head + " AS " + body;
        }
        String definition = ForeignOptions.known(object);
        return remarkOnSecrets(inside)
                + head
                + partition
                + (partition.isEmpty() ? " " + body : lines.isEmpty() ? "" : " " + body)
                + bound
                + (parents.isEmpty() ? "" : " INHERITS (" + String.join(", ", parents) + ")")
                + (definition.isEmpty() ? "" : " " + definition);
    }

    /** Columns as the table that is expected has them. */
    private List<SchemaObject> inOrder(SchemaObject object, Collection<SchemaObject> inside) {
        SchemaObject order = schema.get(SchemaObject.identity(ObjectKind.COLUMN_ORDER, "", object.identity()));
        if (order == null) {
            return List.copyOf(inside);
        }
        String names = ", " + order.definition() + ", ";
        return inside.stream()
                .sorted((one, other) -> Integer.compare(place(names, one), place(names, other)))
                .toList();
    }

    private static int place(String names, SchemaObject part) {
        return names.indexOf(", " + part.name() + ", ");
    }

    private static String ofColumn(SchemaObject column, Collection<SchemaObject> inside) {
        StringBuilder text = new StringBuilder();
        for (SchemaObject part : inside) {
            if (part.kind().isOfColumn() && part.name().equals(column.name())) {
                text.append(
                        switch (part.kind()) {
                            case DEFAULT -> " DEFAULT " + part.sql();
                            case IDENTITY -> " GENERATED " + part.definition();
                            default -> " NOT NULL";
                        });
            }
        }
        return text.toString();
    }

    /** What takes an object away. */
    List<String> drop(SchemaObject object) {
        List<String> statements = dropping(object);
        String loss = loss(object);
        return loss == null
                ? statements
                : statements.stream()
                        .map(sql -> "-- loses " + loss + "\n" + sql)
                        .toList();
    }

    private @Nullable String loss(SchemaObject object) {
        SchemaObject wanted = other.get(object.identity());
        return switch (object.kind()) {
            case TABLE -> "its rows";
            case MATERIALIZED_VIEW -> wanted == null ? "its rows" : "its rows, which are asked for anew";
            case SEQUENCE, IDENTITY -> "its value";
            case ATTRIBUTE -> "its values";
            case COLUMN ->
                parent(object).kind() == ObjectKind.FOREIGN_TABLE
                        ? null
                        : wanted != null
                                        && object.definition().contains(GENERATED)
                                        && wanted.definition().contains(GENERATED)
                                ? "its values, which are computed anew"
                                : "its values";
            case EXTENSION -> "what it keeps";
            case PUBLICATION, PUBLISHED_TABLE, PUBLISHED_SCHEMA ->
                wanted == null ? "what its subscribers would get" : null;
            case SETTING -> ForeignOptions.isSecret(object.definition()) ? "its secret" : null;
            default -> ForeignOptions.secrets(object).isEmpty() ? null : "its secrets";
        };
    }

    private List<String> dropping(SchemaObject object) {
        String name = object.name();
        return switch (object.kind()) {
            case ATTRIBUTE -> List.of(alterParent(object) + "DROP ATTRIBUTE " + name);
            case COLUMN -> List.of(alterParent(object) + "DROP COLUMN " + name);
            case USER_MAPPING -> List.of(ofUser("DROP", object));
            case TEXT_SEARCH_MAPPING -> List.of(alterParent(object) + "DROP MAPPING FOR " + name);
            case SUBSCRIPTION -> List.of(BY_HAND + "DROP SUBSCRIPTION " + onOneLine(name));
            case SETTING -> List.of(Setting.of(name).reset());
            case PARTITION_TRIGGER_STATE -> List.of(setTriggerOf(object, stateOf(parent(object))));
            case ATTACHMENT ->
                List.of("ALTER TABLE " + name + " DETACH PARTITION "
                        + parent(object).name());
            case INHERITANCE -> List.of(alterParent(object) + "NO INHERIT " + name);
            case DEFAULT -> List.of(alterColumn(object) + "DROP DEFAULT");
            case NOT_NULL -> List.of(alterColumn(object) + "DROP NOT NULL");
            case IDENTITY -> List.of(alterColumn(object) + "DROP IDENTITY");
            case OWNED_BY -> List.of(alterParent(object) + "OWNED BY NONE");
            case CONSTRAINT -> List.of(alterParent(object) + "DROP CONSTRAINT " + name);
            case RULE, TRIGGER, POLICY ->
                List.of("DROP " + object.kind().sql() + " " + name + " ON "
                        + parent(object).name());
            case UNLOGGED -> List.of(alterParent(object) + "SET LOGGED");
            case ROW_SECURITY -> List.of(alterParent(object) + "DISABLE ROW LEVEL SECURITY");
            case FORCED_ROW_SECURITY -> List.of(alterParent(object) + "NO FORCE ROW LEVEL SECURITY");
            case REPLICA_IDENTITY -> List.of(alterParent(object) + "REPLICA IDENTITY DEFAULT");
            case OPTION -> List.of(alterParent(object) + "RESET (" + name + ")");
            case PUBLISHED_TABLE -> List.of(alterParent(object) + "DROP TABLE " + name);
            case PUBLISHED_SCHEMA -> List.of(alterParent(object) + "DROP TABLES IN SCHEMA " + name);
            case TRIGGER_STATE -> List.of(setTrigger(object, "ENABLE"));
            case RULE_STATE -> List.of(setRule(object, "ENABLE"));
            case CLUSTER_MARK -> List.of(alterParent(parent(object)) + "SET WITHOUT CLUSTER");
            case INDEX_OPTION -> List.of(alterIndexOf(object) + "RESET (" + name + ")");
            case STATISTICS_TARGET -> List.of(alterColumn(object) + "SET STATISTICS -1");
            case COLUMN_OPTIONS ->
                List.of(alterColumn(object) + "RESET (" + object.definition().replaceAll(" = [^,]*", "") + ")");
            case PRIVILEGES, DEFAULT_PRIVILEGES, SYSTEM_PRIVILEGES -> rights().giveAsUsual(object);
            case OWNER, COLUMN_ORDER -> List.of();
            default -> List.of("DROP " + object.kind().sql() + " " + name);
        };
    }

    /** What makes one into the other where it stands; empty if it must be dropped and made anew. */
    Optional<List<String>> change(SchemaObject actual, SchemaObject expected) {
        if (actual.kind() != expected.kind()) {
            return Optional.empty();
        }
        return switch (expected.kind()) {
            case EXTENSION -> Optional.of(changeExtension(actual, expected));
            case ENUM -> addLabels(actual, expected);
            case SEQUENCE -> Optional.of(List.of("ALTER SEQUENCE " + expected.name() + " " + expected.definition()));
            case FUNCTION -> head(actual).equals(head(expected)) ? Optional.of(create(expected)) : Optional.empty();
            case ATTACHMENT, COLUMN_OPTIONS -> Optional.of(both(drop(actual), create(expected)));
            case PRIVILEGES -> Optional.of(both(rights().revokeOfOthers(actual), create(expected)));
            case TEXT_SEARCH_MAPPING ->
                Optional.of(List.of(alterParent(expected) + "ALTER MAPPING FOR " + expected.name() + " WITH "
                        + expected.definition()));
            case SUBSCRIPTION ->
                Optional.of(List.of(BY_HAND + "ALTER SUBSCRIPTION "
                        + onOneLine(expected.name() + ", to be " + expected.definition())));
            case FOREIGN_DATA_WRAPPER, SERVER, USER_MAPPING, FOREIGN_TABLE -> changeOptions(actual, expected);
            case ATTRIBUTE ->
                Optional.of(List.of(alterParent(expected) + "ALTER ATTRIBUTE " + expected.name() + " TYPE "
                        + expected.definition()));
            case COLUMN -> changeColumn(actual, expected);
            case NOT_NULL ->
                Optional.of(expected.definition().isEmpty() ? create(expected) : both(drop(actual), create(expected)));
            case IDENTITY -> Optional.of(List.of(alterColumn(expected) + "SET GENERATED " + identity(expected)));
            case CONSTRAINT ->
                actual.definition().equals(expected.definition() + NOT_VALID)
                        ? Optional.of(List.of(alterParent(expected) + "VALIDATE CONSTRAINT " + expected.name()))
                        : Optional.empty();
            case PUBLICATION -> {
                boolean same = forAll(actual) == forAll(expected);
                yield same
                        ? Optional.of(List.of("ALTER PUBLICATION " + expected.name() + " SET "
                                + expected.definition()
                                        .substring(expected.definition().indexOf("WITH (") + 5)))
                        : Optional.empty();
            }
            case DEFAULT,
                    OWNED_BY,
                    REPLICA_IDENTITY,
                    OPTION,
                    INDEX_OPTION,
                    STATISTICS_TARGET,
                    TRIGGER_STATE,
                    PARTITION_TRIGGER_STATE,
                    RULE_STATE,
                    OWNER,
                    DEFAULT_PRIVILEGES,
                    SYSTEM_PRIVILEGES -> Optional.of(create(expected));
            case SETTING ->
                Optional.of(
                        ForeignOptions.isSecret(actual.definition())
                                ? List.of("-- loses the secret that is there\n"
                                        + create(expected).get(0))
                                : create(expected));
            case COLUMN_ORDER -> Optional.of(List.of());
            default -> Optional.empty();
        };
    }

    /** What makes the numbers of a column go on behind those that its rows have; empty if it has no numbers of its own. */
    Optional<String> goOn(SchemaObject numbers) {
        SchemaObject table = parent(numbers);
        if (numbers.kind() == ObjectKind.IDENTITY) {
            String sequence = "pg_get_serial_sequence(" + Literal.of(table.name()) + ", "
                    + Literal.of(unquoted(numbers.name())) + ")";
            Matcher start = START.matcher(numbers.definition());
            return start.find()
                    ? Optional.of(goOn(sequence, start.group(1), numbers.definition(), numbers.name(), table.name()))
                    : Optional.empty();
        }
        SchemaObject sequence = sequence(numbers);
        SchemaObject column = schema.get(SchemaObject.identity(ObjectKind.COLUMN, numbers.name(), table.identity()));
        if (sequence == null
                || (column != null
                        && !NUMBER.matcher(underDomain(column.definition(), schema))
                                .lookingAt())) {
            return Optional.empty();
        }
        return Optional.of(goOn(
                Literal.of(sequence.name()),
                "(SELECT last_value FROM " + sequence.name() + ")",
                sequence.definition(),
                numbers.name(),
                table.name()));
    }

    private static String goOn(String sequence, String last, String options, String column, String table) {
        boolean falls = options.contains("INCREMENT BY -");
        String end = (falls ? "min(" : "max(") + column + ")";
        return "SELECT setval(" + sequence + ", " + end + "::bigint) FROM " + table + " HAVING " + end
                + (falls ? " <= " : " >= ") + last;
    }

    /** From which a default takes the next number. */
    @Nullable
    SchemaObject sequence(SchemaObject defaultOf) {
        Matcher next = NEXT_NUMBER.matcher(defaultOf.definition());
        return next.matches()
                ? schema.get(
                        SchemaObject.identity(ObjectKind.SEQUENCE, next.group(1).replace("''", "'"), null))
                : null;
    }

    private static String unquoted(String name) {
        return name.startsWith("\"") ? name.substring(1, name.length() - 1).replace("\"\"", "\"") : name;
    }

    /** Whether what it does must be committed before it is used. */
    static boolean isCommittedAlone(String statement) {
        return statement.startsWith("ALTER TYPE ") && statement.contains(ADD_LABEL);
    }

    /** Makes an index or a constraint before the one goes that has its name. */
    List<String> replace(SchemaObject object) {
        List<String> statements = new ArrayList<>();
        if (object.kind() == ObjectKind.INDEX) {
            statements.add("ALTER INDEX " + object.name() + " RENAME TO " + REPLACED);
            statements.addAll(create(object));
            statements.add("DROP INDEX " + schemaOf(object.name()) + "." + REPLACED);
        } else {
            statements.add(alterParent(object) + "RENAME CONSTRAINT " + object.name() + " TO " + REPLACED);
            statements.addAll(create(object));
            statements.add(alterParent(object) + "DROP CONSTRAINT " + REPLACED);
        }
        return statements;
    }

    static String schemaOf(String name) {
        Matcher schema = QUALIFIER.matcher(name);
        if (!schema.lookingAt()) {
            throw new IllegalArgumentException(name + " has no schema");
        }
        return schema.group(1);
    }

    private Optional<List<String>> changeOptions(SchemaObject actual, SchemaObject expected) {
        ForeignOptions from = ForeignOptions.of(actual.definition());
        ForeignOptions to = ForeignOptions.of(expected.definition());
        String version = "";
        if (!from.head().equals(to.head())) {
            Matcher newer = VERSION.matcher(to.head());
            if (expected.kind() != ObjectKind.SERVER
                    || !newer.find()
                    || !VERSION.matcher(from.head()).replaceFirst("").equals(newer.replaceFirst(""))) {
                return Optional.empty();
            }
            version = newer.group().strip();
        }
        String alter = expected.kind() == ObjectKind.USER_MAPPING
                ? ofUser("ALTER", expected)
                : "ALTER " + expected.kind().sql() + " " + expected.name();
        return Optional.of(changeOptions((alter + " " + version).strip(), !version.isEmpty(), to.from(from), expected));
    }

    /** @param isChange whether the statement changes something without the options */
    private static List<String> changeOptions(
            String alter, boolean isChange, ForeignOptions.Change options, SchemaObject object) {
        String remark = remarkOnSecrets(options.byHand(), object);
        if (options.sql().isEmpty() && !isChange) {
            return remark.isEmpty() ? List.of() : List.of(remark.strip());
        }
        return List.of((remark + (options.losesSecret() ? "-- loses the secret that is there\n" : "") + alter + " "
                        + options.sql())
                .strip());
    }

    private String ofUser(String verb, SchemaObject mapping) {
        return verb + " USER MAPPING FOR " + mapping.name() + " SERVER "
                + parent(mapping).name();
    }

    private static List<String> both(List<String> first, List<String> second) {
        List<String> both = new ArrayList<>(first);
        both.addAll(second);
        return both;
    }

    private static boolean forAll(SchemaObject publication) {
        return publication.definition().startsWith("FOR ALL TABLES");
    }

    /** Up to the body: arguments, result. */
    private static String head(SchemaObject function) {
        int end = function.definition().indexOf("\n LANGUAGE ");
        return end < 0 ? function.definition() : function.definition().substring(0, end);
    }

    private static List<String> changeExtension(SchemaObject actual, SchemaObject expected) {
        Matcher from = EXTENSION.matcher(actual.definition());
        Matcher to = EXTENSION.matcher(expected.definition());
        List<String> statements = new ArrayList<>();
        if (from.matches() && to.matches()) {
            if (!from.group(1).equals(to.group(1))) {
                statements.add("ALTER EXTENSION " + expected.name() + " SET SCHEMA " + to.group(1));
            }
            if (!from.group(2).equals(to.group(2))) {
                statements.add("ALTER EXTENSION " + expected.name() + " UPDATE TO " + to.group(2));
            }
        }
        return statements;
    }

    /** Labels can be added, not taken away and not moved. */
    private static Optional<List<String>> addLabels(SchemaObject actual, SchemaObject expected) {
        Set<String> there = labels(actual);
        Set<String> wanted = labels(expected);
        if (!wanted.stream().filter(there::contains).toList().equals(List.copyOf(there))) {
            return Optional.empty();
        }
        List<String> statements = new ArrayList<>();
        String before = null;
        for (String label : wanted) {
            if (!there.contains(label)) {
                statements.add("ALTER TYPE " + expected.name() + ADD_LABEL + label
                        + (before != null
                                ? " AFTER " + before
                                : there.isEmpty()
                                        ? ""
                                        : " BEFORE " + there.iterator().next()));
            }
            before = label;
        }
        return Optional.of(statements);
    }

    /** In their order. */
    private static Set<String> labels(SchemaObject type) {
        Set<String> labels = new LinkedHashSet<>();
        for (Matcher label = LABEL.matcher(type.definition()); label.find(); ) {
            labels.add(label.group());
        }
        return labels;
    }

    private Optional<List<String>> changeColumn(SchemaObject actual, SchemaObject expected) {
        if (parent(expected).kind() == ObjectKind.FOREIGN_TABLE) {
            return Optional.of(changeForeignColumn(actual, expected));
        }
        boolean was = actual.definition().contains(GENERATED);
        boolean is = expected.definition().contains(GENERATED);
        if (is || (was && !actual.definition().endsWith(" STORED"))) {
            return Optional.empty();
        }
        String type = actual.definition().split(GENERATED_AS, -1)[0];
        List<String> statements = new ArrayList<>();
        if (was) {
            statements.add(alterColumn(expected) + "DROP EXPRESSION");
        }
        if (!type.equals(expected.definition())) {
            statements.add(changeType(type.split(COLLATE, -1)[0], expected));
        }
        return Optional.of(statements);
    }

    /** Its values are elsewhere and stay as they are. */
    private List<String> changeForeignColumn(SchemaObject actual, SchemaObject expected) {
        ForeignOptions from = ForeignOptions.of(actual.definition());
        ForeignOptions to = ForeignOptions.of(expected.definition());
        List<String> statements = new ArrayList<>();
        if (!from.head().equals(to.head())) {
            statements.add(alterColumn(expected) + "TYPE " + to.head());
        }
        statements.addAll(changeOptions(alterColumn(expected).strip(), false, to.from(from), expected));
        return statements;
    }

    private String changeType(String from, SchemaObject column) {
        String to = column.definition().split(COLLATE, -1)[0];
        String valuesFrom = underDomain(from, other);
        String valuesTo = underDomain(to, schema);
        SchemaObject cast = cast(valuesFrom, valuesTo);
        TypeChange change = cast != null
                ? TypeChange.by(cast)
                : TypeChange.of(valuesFrom, isEnum(valuesFrom, other), valuesTo, isEnum(valuesTo, schema));
        String through = change.through() == null ? "" : "::" + change.through();
        return change.remark().map(remark -> "-- " + onOneLine(remark) + "\n").orElse("") + alterColumn(column)
                + "TYPE "
                + column.definition()
                + (change.isAssigned() ? "" : " USING " + column.name() + through + "::" + to);
    }

    /** The type that the values of a domain have; an array of a domain is cast value by value too. */
    private static String underDomain(String type, Schema schema) {
        String array = type.endsWith("[]") ? "[]" : "";
        String element = type.substring(0, type.length() - array.length());
        SchemaObject domain = schema.get(SchemaObject.identity(ObjectKind.DOMAIN, element, null));
        return domain == null ? type : underDomain(domain.definition().split(COLLATE, -1)[0], schema) + array;
    }

    /** One that somebody has made, which is taken before all others. */
    private @Nullable SchemaObject cast(String from, String to) {
        String name = "(" + TypeChange.withoutModifier(from) + " AS " + TypeChange.withoutModifier(to) + ")";
        return other.get(SchemaObject.identity(ObjectKind.CAST, name, null));
    }

    private static boolean isEnum(String type, Schema schema) {
        String element = type.endsWith("[]") ? type.substring(0, type.length() - 2) : type;
        SchemaObject found = schema.get(SchemaObject.identity(ObjectKind.ENUM, element, null));
        return found != null && found.kind() == ObjectKind.ENUM;
    }

    /** A name may break a line, and what follows would be no comment any more. */
    static String onOneLine(String text) {
        return text.replaceAll("[\\p{Cntrl}\\u0085\\u2028\\u2029]+", " ");
    }

    private static String identity(SchemaObject expected) {
        int options = expected.definition().indexOf(" AS IDENTITY (");
        String text = expected.definition()
                .substring(
                        options + " AS IDENTITY (".length(),
                        expected.definition().length() - 1);
        return expected.definition().substring(0, options) + " "
                + SEQUENCE_OPTION.matcher(text).replaceAll("SET $1");
    }

    /** A new owner takes over what the old one may do, which was not all. */
    List<String> giveWithAllRights(SchemaObject owner) {
        SchemaObject parent = parent(owner);
        return both(create(owner), List.of(rights().all(owner.definition(), parent)));
    }

    /** Of a table that is there already: only a sequence of the same owner can be its. */
    private List<String> giveToOwnerOfTable(SchemaObject ownedBy) {
        String owner = null;
        for (String needed : ownedBy.needs()) {
            SchemaObject column = schema.get(needed);
            if (column != null && column.kind() == ObjectKind.COLUMN) {
                owner = ownerThere(String.valueOf(column.parent()));
            }
        }
        return owner == null || owner.equals(ownerThere(parent(ownedBy).identity()))
                ? List.of()
                : List.of(alterParent(ownedBy) + "OWNER TO " + owner);
    }

    private RightsSql rights() {
        return new RightsSql(schema);
    }

    private @Nullable String ownerThere(String identity) {
        SchemaObject owner = other.get(SchemaObject.identity(ObjectKind.OWNER, "", identity));
        return owner == null ? null : owner.definition();
    }

    private String setTriggerOf(SchemaObject partition, String to) {
        return "ALTER TABLE " + partition.name() + " " + to + " TRIGGER "
                + parent(partition).name();
    }

    private String stateOf(SchemaObject trigger) {
        SchemaObject state = schema.get(SchemaObject.identity(ObjectKind.TRIGGER_STATE, "", trigger.identity()));
        return state == null ? "ENABLE" : state.definition();
    }

    private String setTrigger(SchemaObject state, String to) {
        SchemaObject trigger = parent(state);
        return trigger.kind() == ObjectKind.EVENT_TRIGGER
                ? "ALTER EVENT TRIGGER " + trigger.name() + " " + to
                : alterParent(trigger) + to + " TRIGGER " + trigger.name();
    }

    private String setRule(SchemaObject state, String to) {
        return alterParent(parent(state)) + to + " RULE " + parent(state).name();
    }

    /** The name, without its schema, of an index, or of that of a constraint. */
    private String indexOf(SchemaObject part) {
        String name = parent(part).name();
        return parent(part).kind() == ObjectKind.INDEX ? QUALIFIER.matcher(name).replaceFirst("") : name;
    }

    private String alterIndexOf(SchemaObject part) {
        return "ALTER INDEX " + schemaOf(parent(parent(part)).name()) + "." + indexOf(part) + " ";
    }

    private String alterParent(SchemaObject object) {
        SchemaObject parent = parent(object);
        return "ALTER " + parent.kind().sql() + " " + parent.name() + " ";
    }

    /** A domain has what a column has, without a name. */
    private String alterColumn(SchemaObject object) {
        return alterParent(object) + (object.name().isEmpty() ? "" : "ALTER COLUMN " + object.name() + " ");
    }

    private SchemaObject parent(SchemaObject object) {
        return Objects.requireNonNull(schema.get(object.parent()), object::identity);
    }

    private static String withoutEnd(String statement) {
        String stripped = statement.stripTrailing();
        return stripped.endsWith(";") ? stripped.substring(0, stripped.length() - 1) : stripped;
    }
}
