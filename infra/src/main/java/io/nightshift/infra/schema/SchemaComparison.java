package io.nightshift.infra.schema;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
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
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where a schema is not as it is expected to be, object by object, and the statements that make it so.
 */
public final class SchemaComparison {

    private static final Set<ObjectKind> FOLLOWS = Set.of(
            ObjectKind.COLUMN_ORDER,
            ObjectKind.DEFAULT,
            ObjectKind.IDENTITY,
            ObjectKind.CONSTRAINT,
            ObjectKind.INDEX,
            ObjectKind.TRIGGER);

    /** What a definition and a value mean, whatever a role or a database sets; and no one waits long behind a lock of ours. */
    private static final List<String> MEANING = List.of(
            "search_path = pg_catalog",
            "datestyle = ISO",
            "intervalstyle = postgres",
            "extra_float_digits = 1",
            "check_function_bodies = off",
            "lock_timeout = '10s'");

    /** How psql reads what follows. */
    private static final List<String> HEAD =
            List.of("\\set ON_ERROR_STOP on", "SET client_encoding = 'UTF8';", "SET standard_conforming_strings = on;");

    private final Schema expected;
    private final Schema actual;
    private final Set<String> moved = new HashSet<>();
    private final Set<String> came = new HashSet<>();
    private final Set<String> missing = new TreeSet<>();
    private final Set<String> unexpected = new TreeSet<>();
    private final Map<String, Optional<List<String>>> changed = new TreeMap<>();
    private List<Mending.Statement> statements = List.of();
    private final List<SchemaDifference> differences = new ArrayList<>();

    private SchemaComparison(Schema expected, Schema actual) {
        this.expected = expected;
        this.actual = actual;
    }

    public static SchemaComparison of(Schema expected, Schema actual) {
        Schema wanted = expected.onlyOfKindsOf(actual).withUnknownOf(actual);
        Schema there = actual.onlyOfKindsOf(wanted);
        Set<String> moved = new TreeSet<>(moved(wanted, there));
        moved.addAll(moved(there, wanted));
        var comparison = new SchemaComparison(
                moved.isEmpty() ? wanted : withInherited(wanted, moved),
                moved.isEmpty() ? there : withInherited(there, moved));
        comparison.moved.addAll(moved);
        comparison.compare();
        if (!comparison.isEmpty()) {
            comparison.findPartitionsThatCame();
            comparison.mend();
            comparison.describe();
        }
        return comparison;
    }

    /** Those of a table that is expected: there are more of them with time. */
    private void findPartitionsThatCame() {
        Map<String, String> wholes = new HashMap<>();
        actual.objects().stream()
                .filter(object -> object.kind() == ObjectKind.ATTACHMENT)
                .forEach(object -> wholes.put(
                        String.valueOf(object.parent()), SchemaObject.identity(ObjectKind.TABLE, object.name(), null)));
        for (String partition : wholes.keySet()) {
            String whole = partition;
            while (whole != null && unexpected.contains(whole)) {
                whole = wholes.get(whole);
            }
            if (whole != null && !whole.equals(partition) && expected.has(whole)) {
                came.add(partition);
            }
        }
    }

    /** What came is left as it is: it has rows that nobody means to lose. */
    private void mend() {
        Set<String> going = new TreeSet<>(unexpected);
        going.removeIf(this::isOfPartitionThatCame);
        statements = Mending.of(
                expected,
                came.isEmpty() ? actual : actual.only(object -> !isOfPartitionThatCame(object.identity())),
                missing,
                going,
                changed);
    }

    private boolean isOfPartitionThatCame(String identity) {
        SchemaObject object = actual.get(identity);
        String parent = object == null ? null : object.parent();
        return came.contains(identity) || (parent != null && isOfPartitionThatCame(parent));
    }

    /** Sorted by the identities of their objects; what differs only because the whole does is counted there. */
    public List<SchemaDifference> differences() {
        return Collections.unmodifiableList(differences);
    }

    /** All statements of all differences in the order in which they work, to be run one by one in one session. */
    public List<String> statements() {
        return statements.stream().map(Mending.Statement::sql).toList();
    }

    /** How many of them are only comments: what PostgreSQL cannot do, or somebody has to do by hand. */
    public long byHand() {
        return statements.stream().filter(Mending.Statement::isByHand).count();
    }

    /**
     * The same for psql, which stops at the first error and then has changed nothing; but for labels of enums, which cannot be
     * used before they are committed, and which it adds first and once. Empty if there is nothing to do.
     */
    public String script() {
        if (statements.isEmpty()) {
            return "";
        }
        List<String> lines = new ArrayList<>(HEAD);
        statements().stream().filter(MendingSql::isCommittedAlone).forEach(sql -> lines.add(sql + ";"));
        lines.add("BEGIN;");
        MEANING.forEach(setting -> lines.add("SET LOCAL " + setting + ";"));
        statements().stream()
                .filter(sql -> !MendingSql.isCommittedAlone(sql) && !sql.equals(Mending.WITHOUT_BODIES))
                .forEach(sql -> lines.add(sql + ";"));
        lines.add("COMMIT;");
        if (byHand() > 0) {
            lines.add("\\warn 'Not all is mended: see " + byHand() + " of the comments in this script.'");
        }
        return String.join("\n", lines);
    }

    /** The tables of both that have lost or got what ties them to another one. */
    private static List<String> moved(Schema from, Schema to) {
        return from.objects().stream()
                .filter(object -> object.kind().isTie() && !to.has(object.identity()))
                .map(object -> String.valueOf(object.parent()))
                .filter(to::has)
                .toList();
    }

    /** With what these tables have from others as if it were their own: so it is before they are tied, and after. */
    private static Schema withInherited(Schema schema, Set<String> moved) {
        List<SchemaObject> all = new ArrayList<>(schema.objects());
        for (String table : moved) {
            Deque<String> open = new ArrayDeque<>(List.of(table));
            while (!open.isEmpty()) {
                String of = open.pop();
                for (SchemaObject object : schema.objects()) {
                    if (!of.equals(object.parent())) {
                        continue;
                    }
                    if (object.kind().isTie()) {
                        open.push(SchemaObject.identity(ObjectKind.TABLE, object.name(), null));
                    } else if (!of.equals(table) && isInherited(object)) {
                        all.add(new SchemaObject(
                                object.kind(),
                                object.name(),
                                table,
                                object.definition(),
                                List.of(table),
                                object.printed()));
                    }
                }
            }
        }
        return new Schema(all, schema.kinds());
    }

    private static boolean isInherited(SchemaObject object) {
        return object.kind() == ObjectKind.COLUMN || object.kind() == ObjectKind.NOT_NULL || isCheck(object);
    }

    static boolean isCheck(SchemaObject object) {
        return object.kind() == ObjectKind.CONSTRAINT && object.definition().startsWith("CHECK");
    }

    private boolean isEmpty() {
        return missing.isEmpty() && unexpected.isEmpty() && changed.isEmpty();
    }

    private void compare() {
        var mending = new MendingSql(expected, actual);
        for (SchemaObject object : expected.objects()) {
            String identity = object.identity();
            SchemaObject there = actual.get(identity);
            if (there == null) {
                missing.add(identity);
            } else if (!isSame(object, there)) {
                changed.put(identity, change(mending, there, object));
            }
        }
        for (SchemaObject object : actual.objects()) {
            if (!expected.has(object.identity())) {
                unexpected.add(object.identity());
            }
        }
        leaveOutWhatFollows();
    }

    /** Also where it was stored in the first format, which wrote some views with fewer words. */
    private static boolean isSame(SchemaObject expected, SchemaObject actual) {
        return actual.kind() == expected.kind()
                && (actual.definition().equals(expected.definition())
                        || CanonicalText.ofFirstFormat(actual).equals(expected.definition()));
    }

    private Optional<List<String>> change(MendingSql mending, SchemaObject there, SchemaObject object) {
        boolean restricted = object.kind() == ObjectKind.OWNER
                && actual.has(SchemaObject.identity(ObjectKind.PRIVILEGES, there.definition(), there.parent()));
        return restricted ? Optional.of(mending.giveWithAllRights(object)) : mending.change(there, object);
    }

    /** What else a table that is attached has, or one that is no more, is made so; columns of other names have another order. */
    private void leaveOutWhatFollows() {
        Set<String> all = all();
        for (String identity : all) {
            SchemaObject object = object(identity);
            if (follows(object, all) || (object.kind() == ObjectKind.COLUMN_ORDER && !isOnlyOrder(identity))) {
                missing.remove(identity);
                unexpected.remove(identity);
                changed.remove(identity);
            }
        }
    }

    /** Also what is part of such an object. */
    private boolean follows(SchemaObject object, Set<String> all) {
        boolean isOfMoved = FOLLOWS.contains(object.kind()) && !isCheck(object) && moved.contains(object.parent());
        return isOfMoved
                || (object.parent() != null && all.contains(object.parent()) && follows(object(object.parent()), all));
    }

    private boolean isOnlyOrder(String identity) {
        SchemaObject here = actual.get(identity);
        SchemaObject there = expected.get(identity);
        return here != null && there != null && names(here).equals(names(there));
    }

    private static Set<String> names(SchemaObject order) {
        return new HashSet<>(Arrays.asList(order.definition().split(", ", -1)));
    }

    private Set<String> all() {
        Set<String> all = new TreeSet<>(missing);
        all.addAll(unexpected);
        all.addAll(changed.keySet());
        return all;
    }

    private SchemaObject object(String identity) {
        SchemaObject there = expected.get(identity);
        return there != null ? there : Objects.requireNonNull(actual.get(identity));
    }

    private void describe() {
        Map<String, List<String>> sql = new HashMap<>();
        Map<String, Integer> inside = new HashMap<>();
        List<String> shown = new ArrayList<>();
        for (String identity : all()) {
            String whole = whole(identity);
            if (whole.equals(identity)) {
                shown.add(identity);
            } else {
                inside.merge(whole, 1, Integer::sum);
            }
        }
        for (Mending.Statement statement : statements) {
            String of = statement.of().isEmpty() ? "" : whole(statement.of());
            sql.computeIfAbsent(of, first -> new ArrayList<>()).add(statement.sql());
        }
        Set<String> partitions = new HashSet<>(partitions(expected));
        partitions.addAll(came);
        for (String identity : shown) {
            SchemaObject there = expected.get(identity);
            SchemaObject here = actual.get(identity);
            differences.add(new SchemaDifference(
                    identity,
                    object(identity).kind(),
                    missing.contains(identity) || changed.containsKey(identity) ? definition(there) : null,
                    unexpected.contains(identity) || changed.containsKey(identity) ? definition(here) : null,
                    inside.getOrDefault(identity, 0),
                    partitions.contains(identity),
                    sql.getOrDefault(identity, List.of())));
        }
    }

    private static Set<String> partitions(Schema schema) {
        return schema.objects().stream()
                .filter(object -> object.kind() == ObjectKind.ATTACHMENT)
                .map(object -> String.valueOf(object.parent()))
                .collect(Collectors.toSet());
    }

    private static @Nullable String definition(@Nullable SchemaObject object) {
        return object == null ? null : object.definition();
    }

    /** The outermost object that is missing, or unexpected, as this is. */
    private String whole(String identity) {
        Set<String> same = missing.contains(identity) ? missing : unexpected.contains(identity) ? unexpected : Set.of();
        SchemaObject object = object(identity);
        if (object.parent() != null && same.contains(object.parent())) {
            return whole(object.parent());
        }
        String column = object.column();
        return column != null && same.contains(column) ? whole(column) : identity;
    }
}
