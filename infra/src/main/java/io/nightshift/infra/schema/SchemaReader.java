package io.nightshift.infra.schema;

import io.nightshift.infra.run.Cancellation;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the schema of a database over a session, which it sets up for that and leaves so. Each catalog is read by a short
 * statement of its own, so that it holds no snapshot and no lock for long: what is changed meanwhile may be seen half.
 */
public final class SchemaReader {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaReader.class);

    private static final String BY_INDEX = "USING INDEX ";
    private static final Pattern NAME = Pattern.compile("\"(?:[^\"]|\"\")*+\"|[^\"(), ]+");
    private static final Pattern COLUMNS = Pattern.compile("\\((?:\"(?:[^\"]|\"\")*+\"|[^\")]++)++\\)");

    private static final int FETCHED = 1000;
    /** Of heap, while two schemas with as many objects are compared: measured with 570,000 objects, and rounded up. */
    private static final int BYTES_PER_OBJECT = 2500;
    /** How often a schema is read that is not the same as before, to tell what is from what was only passing. */
    private static final int LOOKS = 4;

    /** What a definition looks like must depend on nothing that a role or a database can set. */
    private static final List<String> PREAMBLE = List.of(
            "SET default_transaction_read_only = on",
            "SET search_path = pg_catalog",
            "SET lock_timeout = '2s'",
            "SET idle_in_transaction_session_timeout = '60s'",
            "SET quote_all_identifiers = off",
            "SET standard_conforming_strings = on",
            "SET datestyle = ISO",
            "SET intervalstyle = postgres",
            "SET timezone = 'UTC'",
            "SET extra_float_digits = 1",
            "SET bytea_output = hex",
            "SET lc_monetary = 'C'",
            "SET max_parallel_workers_per_gather = 0",
            "SET jit = off");

    /** As {@code pg_depend} writes it. */
    private record Address(long catalog, long object, int column) {

        Address whole() {
            return new Address(catalog, object, 0);
        }
    }

    private record Row(
            ObjectKind kind, String name, String definition, String printed, Address address, Address parent) {}

    private final Connection session;
    private final Cancellation cancellation;

    private SchemaReader(Connection session, Cancellation cancellation) {
        this.session = session;
        this.cancellation = cancellation;
    }

    /**
     * What is there now.
     *
     * @param limit for each statement
     */
    public static Schema read(Connection session, Duration limit, Cancellation cancellation) throws SQLException {
        var reader = new SchemaReader(session, cancellation);
        for (String setting : PREAMBLE) {
            reader.execute(setting);
        }
        reader.execute("SET statement_timeout = " + Math.max(1, limit.toMillis()));
        return reader.read();
    }

    /**
     * What is there now, and not only for a moment: where it is not what is known, it counts when a second look sees the same.
     *
     * @param known the fingerprint that needs no second look; null if there is none
     * @throws SQLException also if it changes all the time
     */
    public static Schema readTwice(
            Connection session, Duration limit, @Nullable String known, Cancellation cancellation) throws SQLException {
        String before = known;
        // Only the newest is held: one takes hundreds of megabytes where there are very many objects.
        for (int look = 0; look < LOOKS; look++) {
            Schema now = read(session, limit, cancellation);
            String fingerprint = now.fingerprint();
            if (fingerprint.equals(before) || fingerprint.equals(known)) {
                return now;
            }
            before = fingerprint;
        }
        throw new SQLException("its schema changes while it is read, " + LOOKS + " times");
    }

    private Schema read() throws SQLException {
        List<Row> rows = new ArrayList<>();
        for (Catalog catalog : Catalog.values()) {
            if (catalog == Catalog.VIEWS) {
                readViews(rows);
            } else {
                readInto(rows, catalog.query());
            }
        }
        return new Schema(objects(rows));
    }

    private void readViews(List<Row> rows) throws SQLException {
        long last = 0;
        int before;
        do {
            before = rows.size();
            readInto(rows, Catalog.VIEWS.query().replace("%d", Long.toString(last)));
            last = rows.size() == before
                    ? last
                    : rows.get(rows.size() - 1).address().object();
        } while (rows.size() > before);
    }

    private void readInto(List<Row> rows, String query) throws SQLException {
        each(query, row -> {
            String printed = row.getString(3);
            // A function that defines what another session drops meanwhile yields nothing.
            if (printed != null) {
                requireRoom(rows.size(), Runtime.getRuntime().maxMemory());
                ObjectKind kind = ObjectKind.valueOf(row.getString(1));
                String definition = kind == ObjectKind.SETTING
                        ? setting(row.getString(2), printed)
                        : ForeignOptions.withoutSecrets(kind, printed);
                rows.add(new Row(
                        kind,
                        row.getString(2),
                        CanonicalText.of(kind, definition),
                        definition,
                        new Address(row.getLong(4), row.getLong(5), row.getInt(6)),
                        new Address(row.getLong(7), row.getLong(8), row.getInt(9))));
            }
        });
    }

    private static String setting(String name, String value) {
        Setting setting = Setting.of(name);
        return setting.withoutSecret(setting.definition(value));
    }

    /** Nothing else of this process may fail because a schema does not fit. */
    static void requireRoom(int objects, long heap) throws SQLException {
        long most = heap / BYTES_PER_OBJECT;
        if (objects >= most) {
            throw new SQLException("it has more than " + most + " objects, and this process has no room for more: -Xmx"
                    + (heap >> 20) + "m");
        }
    }

    private List<SchemaObject> objects(List<Row> rows) throws SQLException {
        Map<Address, Row> byAddress = new HashMap<>();
        rows.stream().filter(row -> row.address().object() != 0).forEach(row -> byAddress.put(row.address(), row));
        Map<Address, Address> others = new HashMap<>();
        each(
                Catalog.ADDRESSES,
                row -> others.put(
                        new Address(row.getLong(1), row.getLong(2), 0),
                        new Address(row.getLong(3), row.getLong(4), 0)));
        Map<Row, String> identities = new HashMap<>();
        rows.forEach(row -> identify(row, byAddress, identities));
        Map<String, Set<String>> needs = needs(byAddress, others, identities);
        List<SchemaObject> objects = new ArrayList<>();
        for (Row row : rows) {
            String identity = identities.get(row);
            Row parent = byAddress.get(row.parent());
            if (identity != null) {
                String parentIdentity = parent == null ? null : identities.get(parent);
                Set<String> own = needs.getOrDefault(identity, new TreeSet<>());
                if (parentIdentity != null) {
                    own.add(parentIdentity);
                }
                if (parentIdentity != null) {
                    own.addAll(named(row, parentIdentity, parent));
                }
                own.remove(identity);
                objects.add(new SchemaObject(
                        row.kind(),
                        row.name(),
                        parentIdentity,
                        row.definition(),
                        List.copyOf(own),
                        row.printed().equals(row.definition()) ? null : row.printed()));
            }
        }
        return objects;
    }

    /** What PostgreSQL takes away in silence when that goes which it names: rights on columns, and the index of an identity. */
    private static Set<String> named(Row row, String parentIdentity, @Nullable Row parent) {
        Set<String> named = new TreeSet<>();
        if (row.kind() == ObjectKind.PRIVILEGES) {
            for (Matcher columns = COLUMNS.matcher(row.definition()); columns.find(); ) {
                for (Matcher name = NAME.matcher(columns.group()); name.find(); ) {
                    named.add(SchemaObject.identity(ObjectKind.COLUMN, name.group(), parentIdentity));
                }
            }
            PassedOn.of(row.printed())
                    .forEach(passed ->
                            named.add(SchemaObject.identity(ObjectKind.PRIVILEGES, passed.role(), parentIdentity)));
        } else if (row.kind() == ObjectKind.PARTITION_TRIGGER_STATE) {
            named.add(SchemaObject.identity(ObjectKind.TABLE, row.name(), null));
        } else if (parent != null
                && row.definition().startsWith(BY_INDEX)
                && row.kind() == ObjectKind.REPLICA_IDENTITY) {
            String index = row.definition().substring(BY_INDEX.length());
            named.add(SchemaObject.identity(ObjectKind.CONSTRAINT, index, parentIdentity));
            named.add(SchemaObject.identity(
                    ObjectKind.INDEX, MendingSql.schemaOf(parent.name()) + "." + index, parentIdentity));
        }
        return named;
    }

    /** Leaves out what is part of something that is left out, or was dropped meanwhile. */
    private static @Nullable String identify(Row row, Map<Address, Row> byAddress, Map<Row, String> identities) {
        String known = identities.get(row);
        if (known != null) {
            return known;
        }
        String parent = null;
        if (row.parent().object() != 0) {
            Row above = byAddress.get(row.parent());
            parent = above == null ? null : identify(above, byAddress, identities);
            if (parent == null) {
                return null;
            }
        }
        String identity = SchemaObject.identity(row.kind(), row.name(), parent);
        identities.put(row, identity);
        return identity;
    }

    private Map<String, Set<String>> needs(
            Map<Address, Row> byAddress, Map<Address, Address> others, Map<Row, String> identities)
            throws SQLException {
        Map<String, Set<String>> needs = new HashMap<>();
        each(Catalog.DEPENDENCIES, row -> {
            Row from = row(new Address(row.getLong(1), row.getLong(2), row.getInt(3)), byAddress, others);
            Row to = row(new Address(row.getLong(4), row.getLong(5), row.getInt(6)), byAddress, others);
            if (from == null || to == null || from.equals(to)) {
                return;
            }
            String needing = identities.get(from);
            String needed = identities.get(to);
            if (needing != null && needed != null) {
                needs.computeIfAbsent(tied(from, needing, to, row.getString(7).equals("a")), first -> new TreeSet<>())
                        .add(needed);
            }
        });
        return needs;
    }

    /**
     * What needs it: a sequence does not need its column to be there, nor a table the one it is part of, but what ties them.
     *
     * @param goes whether it goes with it, as partitions do
     */
    private static String tied(Row from, String needing, Row to, boolean goes) {
        if (from.kind() == ObjectKind.SEQUENCE && to.kind() == ObjectKind.COLUMN) {
            return SchemaObject.identity(ObjectKind.OWNED_BY, "", needing);
        }
        return from.kind().isTable() && to.kind().isTable()
                ? SchemaObject.identity(goes ? ObjectKind.ATTACHMENT : ObjectKind.INHERITANCE, to.name(), needing)
                : needing;
    }

    private static @Nullable Row row(Address address, Map<Address, Row> byAddress, Map<Address, Address> others) {
        Row exact = byAddress.get(address);
        if (exact != null) {
            return exact;
        }
        Row whole = byAddress.get(address.whole());
        Address other = others.get(address.whole());
        return whole != null || other == null ? whole : byAddress.get(other);
    }

    private interface RowWork {
        void with(ResultSet row) throws SQLException;
    }

    @SuppressWarnings("try") // the registration is held, not used
    private void each(String query, RowWork work) throws SQLException {
        cancellation.check();
        try (Statement statement = session.createStatement();
                Cancellation.Registration freeing = cancellation.onCancel(() -> cancel(statement))) {
            statement.setEscapeProcessing(false);
            statement.setFetchSize(FETCHED);
            try (ResultSet row = statement.executeQuery(query)) {
                while (row.next()) {
                    work.with(row);
                }
            }
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void cancel(Statement statement) {
        try {
            statement.cancel();
        } catch (SQLException over) {
            LOG.debug("statement not cancelled: {}", over.getMessage());
        }
    }
}
