package io.nightshift.infra.schema;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The statements that make a schema as it is expected to be: what goes is dropped, dependents first; what comes is made, what
 * it needs first. What depends on something that is dropped or rewritten, such as a view on a column of another type, is
 * dropped before and made again; but no table and no column that is expected to stay.
 */
final class Mending {

    /** What PostgreSQL does not rebuild by itself when a column gets another type. */
    private static final Set<ObjectKind> BOUND_TO_TYPES = Set.of(
            ObjectKind.VIEW,
            ObjectKind.MATERIALIZED_VIEW,
            ObjectKind.RULE,
            ObjectKind.POLICY,
            ObjectKind.TRIGGER,
            ObjectKind.FUNCTION,
            ObjectKind.DEFAULT,
            ObjectKind.INDEX,
            ObjectKind.STATISTICS,
            ObjectKind.PUBLISHED_TABLE);

    private static final String IMPOSSIBLE =
            "-- PostgreSQL cannot change it where it stands, and anew it would lose rows: ";

    private static final String OF_VALUES =
            "-- PostgreSQL cannot change an attribute of a type that columns have. What works: ALTER TYPE %s ADD ATTRIBUTE new %s;"
                    + " an UPDATE of each such column that sets its attribute new; ALTER TYPE %s DROP ATTRIBUTE %s;"
                    + " ALTER TYPE %s RENAME ATTRIBUTE new TO %s: ";

    static final String WITHOUT_BODIES = "SET check_function_bodies = off";

    /** @param of the object that it mends; empty if it is for all that follow */
    record Statement(String of, String sql) {

        /** Whether it says that something is not mended by it. */
        boolean isByHand() {
            return sql.startsWith("-- by hand") || sql.startsWith("-- PostgreSQL cannot");
        }
    }

    private final Schema expected;
    private final Schema actual;
    private final Set<String> missing;
    private final Set<String> unexpected;
    private final Map<String, Optional<List<String>>> changed;
    private final Map<String, List<String>> dependents;
    private final Set<String> dropped = new HashSet<>();
    private final Set<String> replaced = new HashSet<>();
    private final List<Statement> statements = new ArrayList<>();

    private Mending(
            Schema expected,
            Schema actual,
            Set<String> missing,
            Set<String> unexpected,
            Map<String, Optional<List<String>>> changed) {
        this.expected = expected;
        this.actual = actual;
        this.missing = missing;
        this.unexpected = unexpected;
        this.changed = new TreeMap<>(changed);
        this.dependents = dependents(actual);
    }

    /** @param changed with the statements that change each where it stands; empty if it must be made anew */
    static List<Statement> of(
            Schema expected,
            Schema actual,
            Set<String> missing,
            Set<String> unexpected,
            Map<String, Optional<List<String>>> changed) {
        var mending = new Mending(expected, actual, missing, unexpected, changed);
        mending.mend();
        return mending.statements.stream()
                .map(statement -> new Statement(statement.of(), PsqlText.withoutVariables(statement.sql())))
                .toList();
    }

    private void mend() {
        Set<String> impossible = new TreeSet<>();
        changed.replaceAll((identity, change) -> isAttributeOfValues(identity) ? Optional.empty() : change);
        changed.forEach((identity, change) -> {
            if (change.isEmpty()) {
                (isReplaceable(identity) ? dropped : impossible).add(identity);
            }
        });
        Set<String> last = last();
        Set<String> bound = new HashSet<>();
        unexpected.stream().filter(identity -> !isPartOf(identity, last)).forEach(dropped::add);
        changed.forEach((identity, change) -> {
            if (change.isPresent()
                    && Objects.requireNonNull(actual.get(identity)).kind() == ObjectKind.COLUMN) {
                bound.addAll(boundTo(identity));
            }
        });
        dropped.addAll(bound);
        carried(dropped).stream().filter(identity -> !isPartOf(identity, last)).forEach(dropped::add);
        dropped.stream()
                .filter(identity -> !bound.contains(identity) && isReplaceableBeforeItGoes(identity))
                .forEach(replaced::add);
        dropped.removeAll(replaced);
        changeFirst();
        drop(dropped);
        Map<String, SchemaObject> made = new HashMap<>();
        expected.objects().stream()
                .filter(object -> missing.contains(object.identity()) || dropped.contains(object.identity()))
                .forEach(object -> made.put(object.identity(), asPrinted(object)));
        expected.objects().stream()
                .filter(this::isSetForAllPartitions)
                .forEach(state -> made.put(state.identity(), state));
        make(made);
        goOn(made);
        dropped.addAll(unexpected);
        drop(unexpected.stream().filter(identity -> isPartOf(identity, last)).toList());
        impossible.forEach(identity -> statements.add(new Statement(identity, impossible(identity))));
    }

    /** What is only made again is made from what the server says of it. */
    private SchemaObject asPrinted(SchemaObject object) {
        String identity = object.identity();
        return missing.contains(identity) || changed.containsKey(identity)
                ? object
                : Objects.requireNonNull(actual.get(identity));
    }

    /** Labels of an enum, which nothing can use before they are committed. */
    private void changeFirst() {
        changed.forEach((identity, change) -> change.orElse(List.of()).stream()
                .filter(MendingSql::isCommittedAlone)
                .forEach(sql -> statements.add(new Statement(identity, sql))));
    }

    /** Only what nothing depends on, and what itself depends on nothing that goes: of primary keys there can be only one. */
    private boolean isReplaceableBeforeItGoes(String identity) {
        SchemaObject object = Objects.requireNonNull(actual.get(identity));
        SchemaObject wanted = expected.get(identity);
        boolean canBeTwice = object.kind() == ObjectKind.INDEX
                || (object.kind() == ObjectKind.CONSTRAINT
                        && !object.definition().startsWith("PRIMARY KEY"));
        return canBeTwice
                && wanted != null
                && changed.containsKey(identity)
                && dependents.getOrDefault(identity, List.of()).isEmpty()
                && object.needs().stream().noneMatch(dropped::contains)
                && wanted.needs().stream().noneMatch(dropped::contains);
    }

    /** What sets the trigger of the whole sets those of its partitions too. */
    private boolean isSetForAllPartitions(SchemaObject object) {
        if (object.kind() != ObjectKind.PARTITION_TRIGGER_STATE) {
            return false;
        }
        String whole = SchemaObject.identity(ObjectKind.TRIGGER_STATE, "", String.valueOf(object.parent()));
        return missing.contains(whole) || unexpected.contains(whole) || changed.containsKey(whole);
    }

    private boolean isAttributeOfValues(String identity) {
        SchemaObject object = Objects.requireNonNull(actual.get(identity));
        return object.kind() == ObjectKind.ATTRIBUTE && takesValues(Objects.requireNonNull(object.parent()));
    }

    private String impossible(String identity) {
        SchemaObject object = Objects.requireNonNull(expected.get(identity));
        SchemaObject type = expected.get(object.parent());
        String text = object.kind() == ObjectKind.ATTRIBUTE && type != null
                ? OF_VALUES.formatted(
                        type.name(), object.definition(), type.name(), object.name(), type.name(), object.name())
                : IMPOSSIBLE;
        return MendingSql.onOneLine(text + identity);
    }

    /** New numbers of rows that are there already begin behind theirs. */
    private void goOn(Map<String, SchemaObject> made) {
        var mending = new MendingSql(expected, actual);
        for (SchemaObject object : expected.objects()) {
            String table = String.valueOf(object.parent());
            if ((object.kind() != ObjectKind.IDENTITY && object.kind() != ObjectKind.DEFAULT)
                    || made.containsKey(table)
                    || made.containsKey(String.valueOf(object.column()))
                    || Objects.requireNonNull(expected.get(table)).kind() != ObjectKind.TABLE) {
                continue;
            }
            String identity = object.identity();
            SchemaObject sequence = mending.sequence(object);
            boolean isNew = made.containsKey(identity)
                    || (sequence != null && (made.containsKey(sequence.identity()) || changed.containsKey(identity)));
            if (isNew) {
                mending.goOn(object).ifPresent(sql -> statements.add(new Statement(identity, sql)));
            }
        }
    }

    /** What goes only when columns that stay need it no longer, and what members may be needed of that nobody lists. */
    private Set<String> last() {
        return unexpected.stream()
                .filter(identity -> {
                    ObjectKind kind =
                            Objects.requireNonNull(actual.get(identity)).kind();
                    return kind == ObjectKind.EXTENSION || kind == ObjectKind.SCHEMA || takesValues(identity);
                })
                .collect(Collectors.toSet());
    }

    private boolean isPartOf(String identity, Set<String> wholes) {
        String parent = Objects.requireNonNull(actual.get(identity)).parent();
        return wholes.contains(identity) || (parent != null && isPartOf(parent, wholes));
    }

    private static Map<String, List<String>> dependents(Schema schema) {
        Map<String, List<String>> dependents = new HashMap<>();
        for (SchemaObject object : schema.objects()) {
            String identity = object.identity();
            object.needs()
                    .forEach(needed -> dependents
                            .computeIfAbsent(needed, first -> new ArrayList<>())
                            .add(identity));
            String column = object.column();
            if (column != null) {
                dependents.computeIfAbsent(column, first -> new ArrayList<>()).add(identity);
            }
        }
        return dependents;
    }

    /** What goes, or must go before, when these do: never columns and tables that are expected to stay, which stop them. */
    private Set<String> carried(Collection<String> gone) {
        Set<String> carried = new TreeSet<>();
        Deque<String> open = new ArrayDeque<>(gone);
        while (!open.isEmpty()) {
            for (String dependent : dependents.getOrDefault(open.pop(), List.of())) {
                if (!gone.contains(dependent) && !staysWithValues(dependent) && carried.add(dependent)) {
                    open.push(dependent);
                }
            }
        }
        return carried;
    }

    /** Whether something with values that stay depends on it, directly or not. */
    private boolean takesValues(String identity) {
        Set<String> all = new TreeSet<>(carried(Set.of(identity)));
        all.add(identity);
        return all.stream()
                .flatMap(one -> dependents.getOrDefault(one, List.of()).stream())
                .anyMatch(dependent -> !dependent.equals(identity) && staysWithValues(dependent));
    }

    private boolean staysWithValues(String identity) {
        SchemaObject object = Objects.requireNonNull(actual.get(identity));
        Optional<List<String>> change = changed.getOrDefault(identity, Optional.of(List.of()));
        return expected.has(identity) && holdsValues(object) && change.isPresent();
    }

    private List<String> boundTo(String column) {
        return dependents.getOrDefault(column, List.of()).stream()
                .filter(dependent -> {
                    SchemaObject object = Objects.requireNonNull(actual.get(dependent));
                    return BOUND_TO_TYPES.contains(object.kind())
                            || SchemaComparison.isCheck(object)
                            || (object.kind() == ObjectKind.COLUMN && !holdsValues(object));
                })
                .toList();
    }

    /** Not a table, nor what columns need that stay. */
    private boolean isReplaceable(String identity) {
        return Objects.requireNonNull(actual.get(identity)).kind() != ObjectKind.TABLE
                && !takesValues(identity)
                && !isAttributeOfValues(identity);
    }

    private boolean holdsValues(SchemaObject object) {
        SchemaObject parent = actual.get(object.parent());
        return object.kind() == ObjectKind.TABLE
                || (object.kind() == ObjectKind.COLUMN
                        && parent != null
                        && parent.kind() == ObjectKind.TABLE
                        && !object.definition().contains(" GENERATED ALWAYS AS ("));
    }

    private void drop(Collection<String> identities) {
        List<SchemaObject> going = identities.stream()
                .map(identity -> Objects.requireNonNull(actual.get(identity)))
                .toList();
        Map<String, List<SchemaObject>> groups = NeededFirst.grouped(going, this::goesWith);
        List<String> order = NeededFirst.order(groups, actual, this::goesWith);
        Collections.reverse(order);
        var mending = new MendingSql(actual, expected);
        for (String identity : order) {
            mending.drop(Objects.requireNonNull(actual.get(identity)))
                    .forEach(sql -> statements.add(new Statement(identity, sql)));
        }
    }

    /** By the drop of which it goes: its own, or that of what it is part of. */
    private String goesWith(SchemaObject object) {
        String parent = object.parent();
        String column = object.column();
        if (object.kind() == ObjectKind.SEQUENCE) {
            SchemaObject owner = actual.get(SchemaObject.identity(ObjectKind.OWNED_BY, "", object.identity()));
            Optional<String> owning = owner == null
                    ? Optional.empty()
                    : owner.needs().stream()
                            .filter(needed -> !needed.equals(object.identity()) && dropped.contains(needed))
                            .findFirst();
            if (owning.isPresent()) {
                return goesWith(Objects.requireNonNull(actual.get(owning.get())));
            }
        }
        boolean isOnItsOwn = object.kind() == ObjectKind.USER_MAPPING || isKeyOfOther(object);
        if (parent != null && dropped.contains(parent) && !isOnItsOwn) {
            return goesWith(Objects.requireNonNull(actual.get(parent)));
        }
        return column != null && dropped.contains(column)
                ? goesWith(Objects.requireNonNull(actual.get(column)))
                : object.identity();
    }

    /** Of two tables that refer to each other neither can go first. */
    private boolean isKeyOfOther(SchemaObject object) {
        return object.kind() == ObjectKind.CONSTRAINT
                && object.definition().startsWith("FOREIGN KEY")
                && object.needs().stream()
                        .map(actual::get)
                        .anyMatch(needed -> needed != null
                                && needed.kind() == ObjectKind.CONSTRAINT
                                && dropped.contains(needed.identity())
                                && !Objects.equals(needed.parent(), object.parent()));
    }

    private void make(Map<String, SchemaObject> made) {
        Map<String, SchemaObject> all = new HashMap<>(made);
        changed.forEach((identity, change) -> {
            if ((change.isPresent() && !dropped.contains(identity)) || replaced.contains(identity)) {
                all.put(identity, Objects.requireNonNull(expected.get(identity)));
            }
        });
        Function<SchemaObject, String> comesWith = object -> {
            SchemaObject parent = made.get(String.valueOf(object.parent()));
            if (parent == null && isWrittenWithColumn(object) && made.containsKey(object.identity())) {
                SchemaObject column = made.get(String.valueOf(object.column()));
                return column == null ? object.identity() : column.identity();
            }
            return object.kind().isWrittenInside()
                            && made.containsKey(object.identity())
                            && parent != null
                            && (parent.kind().isTable() || parent.kind() == ObjectKind.COMPOSITE)
                            && !isOfParentsColumn(object)
                    ? parent.identity()
                    : object.identity();
        };
        Map<String, List<SchemaObject>> groups = NeededFirst.grouped(all.values(), comesWith);
        List<SchemaObject> defaults = actual.objects().stream()
                .filter(object -> object.kind() == ObjectKind.DEFAULT_PRIVILEGES)
                .toList();
        var mending = new MendingSql(expected, actual);
        var rights = new RightsSql(expected);
        if (made.values().stream().anyMatch(object -> object.kind() == ObjectKind.FUNCTION)) {
            statements.add(new Statement("", WITHOUT_BODIES));
        }
        for (String identity : NeededFirst.order(groups, expected, comesWith)) {
            SchemaObject object = Objects.requireNonNull(all.get(identity));
            List<SchemaObject> inside = Objects.requireNonNull(groups.get(identity));
            if (replaced.contains(identity)) {
                mending.replace(object).forEach(sql -> statements.add(new Statement(identity, sql)));
            } else if (!made.containsKey(identity)) {
                Objects.requireNonNull(changed.get(identity)).orElseThrow().stream()
                        .filter(sql -> !MendingSql.isCommittedAlone(sql))
                        .forEach(sql -> statements.add(new Statement(identity, sql)));
            } else if (inside.size() > 1) {
                statements.add(new Statement(identity, mending.createWith(object, inside)));
                rights.withoutDefaults(object, defaults).forEach(sql -> statements.add(new Statement(identity, sql)));
            } else {
                mending.create(object).forEach(sql -> statements.add(new Statement(identity, sql)));
                rights.withoutDefaults(object, defaults).forEach(sql -> statements.add(new Statement(identity, sql)));
            }
        }
    }

    /** Of a column that comes to rows which are there: so they have its default, and need not be empty. */
    private static boolean isWrittenWithColumn(SchemaObject object) {
        return object.kind() == ObjectKind.NOT_NULL
                ? object.definition().isEmpty()
                : object.kind().isOfColumn();
    }

    /** A default of its own for a column of the whole, which is not written again. */
    private boolean isOfParentsColumn(SchemaObject object) {
        String column = object.column();
        return column != null && !expected.has(column);
    }
}
