package io.nightshift.infra.schema;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The statements that give rights and take them back: those on objects, those that come with new ones, and those on functions of
 * PostgreSQL's own.
 *
 * @param schema what has them
 */
record RightsSql(Schema schema) {

    private static final String ROLE = "\"(?:[^\"]|\"\")*+\"|[^\" ]+";
    private static final Pattern DEFAULT_RIGHTS = Pattern.compile(
            "FOR ROLE (" + ROLE + ") ON (TABLES|SEQUENCES|FUNCTIONS|TYPES|SCHEMAS|LARGE OBJECTS) TO (" + ROLE + ")");
    private static final Pattern SYSTEM_RIGHTS = Pattern.compile("(.*) TO (" + ROLE + ")", Pattern.DOTALL);

    /** What makes them as they are here. */
    List<String> give(SchemaObject rights) {
        return switch (rights.kind()) {
            case DEFAULT_PRIVILEGES -> grantByDefault(rights);
            case SYSTEM_PRIVILEGES -> grantOfSystem(rights, rights.definition());
            default -> grantOf(rights);
        };
    }

    /** What makes them those that nobody has given or taken. */
    List<String> giveAsUsual(SchemaObject rights) {
        return switch (rights.kind()) {
            case DEFAULT_PRIVILEGES -> asUsualByDefault(rights);
            case SYSTEM_PRIVILEGES -> grantOfSystem(rights, rights.definition().equals("NONE") ? "EXECUTE" : "NONE");
            default ->
                Stream.concat(revokeOfOthers(rights).stream(), asUsual(rights).stream())
                        .toList();
        };
    }

    String all(String role, SchemaObject on) {
        return "GRANT ALL ON " + grantable(on) + " " + on.name() + " TO " + role;
    }

    private List<String> grantOf(SchemaObject object) {
        return grant("", on(object), object.name(), object.definition());
    }

    private String on(SchemaObject privileges) {
        return " ON " + grantable(parent(privileges)) + " " + parent(privileges).name();
    }

    /** What the owner, or a superuser in its place, takes back is only what the owner has granted. */
    List<String> revokeOfOthers(SchemaObject there) {
        return PassedOn.of(there.sql()).stream()
                .flatMap(passed -> Stream.of(
                        "-- granted by a role that passed it on\nSET ROLE " + passed.role(),
                        "REVOKE " + passed.privileges() + on(there) + " FROM " + there.name(),
                        "RESET ROLE"))
                .toList();
    }

    private static List<String> grant(String head, String on, String role, String definition) {
        List<String> statements = new ArrayList<>(List.of(head + "REVOKE ALL" + on + " FROM " + role));
        if (!definition.equals("NONE")) {
            for (String line : definition.split("\n", -1)) {
                String privileges = line.replaceFirst(" WITH GRANT OPTION$", "");
                statements.add(head + "GRANT " + privileges + on + " TO " + role
                        + (privileges.equals(line) ? "" : " WITH GRANT OPTION"));
            }
        }
        return statements;
    }

    /** Takes away what default privileges add to an object that is made, of which more than usual is granted after that. */
    List<String> withoutDefaults(SchemaObject object, Collection<SchemaObject> defaults) {
        List<String> statements = new ArrayList<>();
        String schemaOf = schemaOf(object);
        for (SchemaObject rights : defaults) {
            Matcher parts = DEFAULT_RIGHTS.matcher(rights.name());
            boolean isAdded = parts.matches()
                    && parts.group(2).equals(defaultsOf(object))
                    && (rights.parent() == null || rights.parent().equals(schemaOf));
            String identity =
                    isAdded ? SchemaObject.identity(ObjectKind.PRIVILEGES, parts.group(3), object.identity()) : "";
            if (isAdded && !schema.has(identity)) {
                statements.addAll(asUsual(
                        new SchemaObject(ObjectKind.PRIVILEGES, parts.group(3), object.identity(), "", List.of())));
            }
        }
        return statements.stream().distinct().toList();
    }

    private static String schemaOf(SchemaObject object) {
        Matcher name = MendingSql.QUALIFIER.matcher(object.name());
        return name.lookingAt() ? SchemaObject.identity(ObjectKind.SCHEMA, name.group(1), null) : "";
    }

    private static String defaultsOf(SchemaObject object) {
        return switch (object.kind()) {
            case TABLE, FOREIGN_TABLE, VIEW, MATERIALIZED_VIEW -> "TABLES";
            case SEQUENCE -> "SEQUENCES";
            case FUNCTION, AGGREGATE -> "FUNCTIONS";
            case ENUM, COMPOSITE, RANGE, DOMAIN -> "TYPES";
            case SCHEMA -> "SCHEMAS";
            default -> "";
        };
    }

    /** What comes with the object: all for its owner, and for everybody to call a function and to use a type. */
    private List<String> asUsual(SchemaObject object) {
        SchemaObject parent = parent(object);
        String on = on(object);
        List<String> statements = new ArrayList<>(List.of("REVOKE ALL" + on + " FROM " + object.name()));
        SchemaObject owner = schema.get(SchemaObject.identity(ObjectKind.OWNER, "", parent.identity()));
        boolean byAll = object.name().equals("PUBLIC")
                && List.of("ROUTINE", "TYPE", "DOMAIN").contains(parent.kind().sql());
        if (byAll || (owner != null && owner.definition().equals(object.name()))) {
            statements.add("GRANT ALL" + on + " TO " + object.name());
        }
        return statements;
    }

    private static String grantable(SchemaObject object) {
        return switch (object.kind()) {
            case VIEW, MATERIALIZED_VIEW, FOREIGN_TABLE -> "TABLE";
            case SERVER -> "FOREIGN SERVER";
            default -> object.kind().sql();
        };
    }

    private List<String> grantByDefault(SchemaObject object) {
        Matcher rights = DEFAULT_RIGHTS.matcher(object.name());
        if (!rights.matches()) {
            throw new IllegalArgumentException(object.name() + " are no default privileges");
        }
        SchemaObject in = schema.get(object.parent());
        String head = "ALTER DEFAULT PRIVILEGES FOR ROLE " + rights.group(1)
                + (in == null ? "" : " IN SCHEMA " + in.name()) + " ";
        return grant(head, " ON " + rights.group(2), rights.group(3), object.definition());
    }

    /** Of a schema there are none; elsewhere all for the owner, and for everybody to call functions and use types. */
    private List<String> asUsualByDefault(SchemaObject object) {
        Matcher rights = DEFAULT_RIGHTS.matcher(object.name());
        boolean all = rights.matches()
                && object.parent() == null
                && (rights.group(1).equals(rights.group(3))
                        || (rights.group(3).equals("PUBLIC")
                                && List.of("FUNCTIONS", "TYPES").contains(rights.group(2))));
        return grantByDefault(
                new SchemaObject(object.kind(), object.name(), object.parent(), all ? "ALL" : "NONE", object.needs()));
    }

    private static List<String> grantOfSystem(SchemaObject object, String privileges) {
        Matcher rights = SYSTEM_RIGHTS.matcher(object.name());
        if (!rights.matches()) {
            throw new IllegalArgumentException(object.name() + " are no privileges");
        }
        return grant("", " " + rights.group(1), rights.group(2), privileges);
    }

    private SchemaObject parent(SchemaObject object) {
        return Objects.requireNonNull(schema.get(object.parent()), object::identity);
    }
}
