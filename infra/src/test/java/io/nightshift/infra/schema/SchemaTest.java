package io.nightshift.infra.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Without a server. */
class SchemaTest {

    private static final SchemaObject SHOP = object(ObjectKind.SCHEMA, "shop", null, "");
    private static final SchemaObject BILLS = object(ObjectKind.TABLE, "shop.bills", null, "");
    private static final SchemaObject TOTAL = column("total", "integer");

    private static SchemaObject object(ObjectKind kind, String name, SchemaObject parent, String definition) {
        return new SchemaObject(
                kind,
                name,
                parent == null ? null : parent.identity(),
                definition,
                parent == null ? List.of() : List.of(parent.identity()));
    }

    private static SchemaObject column(String name, String type) {
        return object(ObjectKind.COLUMN, name, BILLS, type);
    }

    private static Schema schema(SchemaObject... objects) {
        return new Schema(Arrays.asList(objects));
    }

    private static List<String> mending(Schema expected, Schema actual) {
        return SchemaComparison.of(expected, actual).statements();
    }

    @Test
    void what_is_written_and_read_back_is_the_same() {
        Schema all = new Schema(Stream.of(ObjectKind.values())
                .map(kind -> object(kind, "\"x.y\"", kind.isOfColumn() ? BILLS : null, kind + " 'ü' \\ \"q\""))
                .toList());

        Schema back = SchemaDocument.read(SchemaDocument.write(all));

        assertThat(back.objects()).containsExactlyElementsOf(all.objects());
        assertThat(back.fingerprint()).isEqualTo(all.fingerprint());
    }

    @Test
    void the_order_in_which_objects_are_found_has_no_part_in_the_fingerprint() {
        List<SchemaObject> objects = new ArrayList<>(List.of(SHOP, BILLS, TOTAL));
        String fingerprint = new Schema(objects).fingerprint();
        Collections.reverse(objects);
        objects.add(object(ObjectKind.COLUMN_ORDER, "", BILLS, "total"));

        assertThat(new Schema(objects).fingerprint()).isEqualTo(fingerprint);
        assertThat(schema(SHOP, BILLS, column("total", "bigint")).fingerprint()).isNotEqualTo(fingerprint);
    }

    @Test
    void a_table_that_is_missing_is_one_difference_with_all_that_is_in_it() {
        SchemaObject notNull = object(ObjectKind.NOT_NULL, "total", BILLS, "");
        SchemaObject order = object(ObjectKind.COLUMN_ORDER, "", BILLS, "total, at");
        SchemaObject owner = object(ObjectKind.OWNER, "", BILLS, "clerk");

        var comparison = SchemaComparison.of(
                schema(SHOP, BILLS, column("at", "date"), TOTAL, notNull, order, owner), schema(SHOP));

        assertThat(comparison.differences()).singleElement().satisfies(difference -> {
            assertThat(difference.object()).isEqualTo("table shop.bills");
            assertThat(difference.word()).isEqualTo("missing");
            assertThat(difference.inside()).isEqualTo(4);
            assertThat(difference.statements())
                    .containsExactly(
                            "CREATE TABLE shop.bills (\n    total integer NOT NULL,\n    at date\n)",
                            "ALTER TABLE shop.bills OWNER TO clerk");
        });
    }

    @Test
    void what_loses_data_says_so() {
        assertThat(mending(schema(BILLS), schema(BILLS, TOTAL)))
                .containsExactly("-- loses its values\nALTER TABLE shop.bills DROP COLUMN total");
        assertThat(mending(schema(), schema(BILLS, TOTAL))).containsExactly("-- loses its rows\nDROP TABLE shop.bills");
    }

    @Test
    void a_view_on_a_column_of_another_type_is_dropped_before_and_made_again() {
        SchemaObject view = new SchemaObject(
                ObjectKind.VIEW,
                "shop.totals",
                null,
                "AS\n SELECT total\n   FROM shop.bills;",
                List.of(TOTAL.identity()));
        SchemaObject over = new SchemaObject(
                ObjectKind.VIEW, "shop.a", null, "AS\n SELECT total\n   FROM shop.totals;", List.of(view.identity()));

        assertThat(mending(schema(BILLS, column("total", "bigint"), view, over), schema(BILLS, TOTAL, view, over)))
                .containsExactly(
                        "DROP VIEW shop.a",
                        "DROP VIEW shop.totals",
                        "ALTER TABLE shop.bills ALTER COLUMN total TYPE bigint",
                        "CREATE VIEW shop.totals AS\n SELECT total\n   FROM shop.bills",
                        "CREATE VIEW shop.a AS\n SELECT total\n   FROM shop.totals");
    }

    @Test
    void tables_that_refer_to_each_other_lose_their_keys_first() {
        SchemaObject other = object(ObjectKind.TABLE, "shop.other", null, "");
        SchemaObject key = object(ObjectKind.CONSTRAINT, "p", BILLS, "PRIMARY KEY (id)");
        SchemaObject otherKey = object(ObjectKind.CONSTRAINT, "p", other, "PRIMARY KEY (id)");
        SchemaObject there = new SchemaObject(
                ObjectKind.CONSTRAINT,
                "f",
                BILLS.identity(),
                "FOREIGN KEY (o) REFERENCES shop.other(id)",
                List.of(BILLS.identity(), otherKey.identity()));
        SchemaObject back = new SchemaObject(
                ObjectKind.CONSTRAINT,
                "f",
                other.identity(),
                "FOREIGN KEY (o) REFERENCES shop.bills(id)",
                List.of(other.identity(), key.identity()));

        assertThat(mending(schema(), schema(BILLS, other, key, otherKey, there, back)))
                .containsExactly(
                        "ALTER TABLE shop.other DROP CONSTRAINT f",
                        "ALTER TABLE shop.bills DROP CONSTRAINT f",
                        "-- loses its rows\nDROP TABLE shop.other",
                        "-- loses its rows\nDROP TABLE shop.bills");
    }

    @Test
    void a_label_of_an_enum_is_added_where_it_belongs_and_never_by_making_columns_anew() {
        SchemaObject now = object(ObjectKind.ENUM, "shop.status", null, "'new', 'it''s, paid'");
        SchemaObject more = object(ObjectKind.ENUM, "shop.status", null, "'draft', 'new', 'it''s, paid', 'sent'");
        SchemaObject status = new SchemaObject(
                ObjectKind.COLUMN,
                "status",
                BILLS.identity(),
                "shop.status",
                List.of(BILLS.identity(), now.identity()));

        assertThat(mending(schema(BILLS, status, more), schema(BILLS, status, now)))
                .containsExactly(
                        "ALTER TYPE shop.status ADD VALUE IF NOT EXISTS 'draft' BEFORE 'new'",
                        "ALTER TYPE shop.status ADD VALUE IF NOT EXISTS 'sent' AFTER 'it''s, paid'");
        assertThat(mending(schema(BILLS, status, now), schema(BILLS, status, more)))
                .containsExactly(
                        "-- PostgreSQL cannot change it where it stands, and anew it would lose rows: type shop.status");
        assertThat(mending(schema(now), schema(more)))
                .containsExactly("DROP TYPE shop.status", "CREATE TYPE shop.status AS ENUM ('new', 'it''s, paid')");
    }

    @Test
    void an_enum_of_many_labels_is_compared_as_fast_as_they_are_read() {
        List<String> labels = Stream.iterate(1, n -> n + 1)
                .limit(100_000)
                .map(n -> "'label, " + n + "'")
                .toList();
        SchemaObject now = object(ObjectKind.ENUM, "shop.status", null, String.join(", ", labels.subList(0, 50_000)));
        SchemaObject more = object(ObjectKind.ENUM, "shop.status", null, String.join(", ", labels));

        assertThat(mending(schema(more), schema(now)))
                .hasSize(50_000)
                .endsWith("ALTER TYPE shop.status ADD VALUE IF NOT EXISTS 'label, 100000' AFTER 'label, 99999'");
    }

    @Test
    void a_colon_is_no_variable_of_psql() {
        assertThat(PsqlText.withoutVariables(
                        "a[1:n] a[:'x'] a[:\"U\"] :{?n} a::int[] b := c ':n' E'\\\\'':n' \":n\" $a$:n$b$:n$a$ d$a$:n"
                                + " -- :n\n E'\\':n'"))
                .isEqualTo(
                        "a[1: n] a[: 'x'] a[: \"U\"] : {?n} a::int[] b := c ':n' E'\\\\'':n' \":n\" $a$:n$b$:n$a$ d$a$: n"
                                + " -- :n\n E'\\':n'");
    }

    @Test
    void a_type_that_is_not_expected_goes_when_the_column_that_has_it_has_another_one() {
        SchemaObject colour = object(ObjectKind.ENUM, "shop.colour", null, "'red'");
        SchemaObject now = new SchemaObject(
                ObjectKind.COLUMN,
                "total",
                BILLS.identity(),
                "shop.colour",
                List.of(BILLS.identity(), colour.identity()));

        assertThat(mending(schema(BILLS, TOTAL), schema(BILLS, now, colour)))
                .containsExactly(
                        "-- loses what the cast from shop.colour to integer loses\n"
                                + "ALTER TABLE shop.bills ALTER COLUMN total TYPE integer USING total::integer",
                        "DROP TYPE shop.colour");
    }

    @Test
    void a_column_that_stays_is_never_dropped_for_what_it_needs() {
        SchemaObject view = new SchemaObject(
                ObjectKind.VIEW, "shop.v", null, "AS\n SELECT total\n   FROM shop.bills;", List.of(TOTAL.identity()));
        SchemaObject notes = object(ObjectKind.TABLE, "shop.notes", null, "");
        SchemaObject row = new SchemaObject(
                ObjectKind.COLUMN, "row", notes.identity(), "shop.v", List.of(notes.identity(), view.identity()));

        List<String> statements = mending(
                schema(BILLS, column("total", "bigint"), view, notes, row), schema(BILLS, TOTAL, view, notes, row));

        // The server refuses the first.
        assertThat(statements).hasSize(3).first().isEqualTo("DROP VIEW shop.v");
        assertThat(statements).noneMatch(sql -> sql.contains("shop.notes"));
    }

    @Test
    void columns_in_another_order_are_told_and_not_mended() {
        SchemaObject order = object(ObjectKind.COLUMN_ORDER, "", BILLS, "a, b");
        SchemaObject other = object(ObjectKind.COLUMN_ORDER, "", BILLS, "b, a");
        SchemaObject longer = object(ObjectKind.COLUMN_ORDER, "", BILLS, "b, a, c");

        var comparison = SchemaComparison.of(schema(BILLS, order), schema(BILLS, other));

        assertThat(comparison.differences()).singleElement().matches(SchemaDifference::isOnlyOrder);
        assertThat(comparison.statements()).isEmpty();
        assertThat(SchemaComparison.of(schema(BILLS, order), schema(BILLS, longer))
                        .differences())
                .isEmpty();
    }

    @Test
    void a_name_that_breaks_a_line_makes_no_statement_out_of_a_comment() {
        String name = "shop.\"a\n\\! touch x\r\nDROP TABLE bills; --\"";
        SchemaObject expected = object(ObjectKind.ENUM, name, null, "'a'");
        SchemaObject actual = object(ObjectKind.ENUM, name, null, "'a', 'b'");
        SchemaObject column = new SchemaObject(
                ObjectKind.COLUMN, "status", BILLS.identity(), name, List.of(BILLS.identity(), actual.identity()));

        assertThat(mending(schema(BILLS, column, expected), schema(BILLS, column, actual)))
                .singleElement()
                .asString()
                .startsWith("-- ")
                .doesNotContain("\n", "\r");
    }

    @Test
    void a_constraint_of_ten_thousand_values_is_read_like_one_of_two() {
        String values = Stream.iterate(1, n -> n + 1)
                .limit(10_000)
                .map(n -> "'" + "v".repeat(n % 100) + n + "'::character varying")
                .collect(Collectors.joining(", "));

        assertThat(CanonicalText.of(
                        ObjectKind.CONSTRAINT, "CHECK (((tier)::text = ANY ((ARRAY[" + values + "])::text[])))"))
                .startsWith("CHECK (((tier)::text = ANY (ARRAY[('v1'::character varying)::text, ('vv2'");
    }

    @Test
    void what_comes_out_of_a_dump_is_written_as_before_it() {
        String before =
                "CHECK (((tier)::text = ANY ((ARRAY['it''s'::character varying, 'b'::character varying])::text[])))";
        String after =
                "CHECK (((tier)::text = ANY (ARRAY[('it''s'::character varying)::text, ('b'::character varying)::text])))";

        assertThat(CanonicalText.of(ObjectKind.CONSTRAINT, before)).isEqualTo(after);
        assertThat(CanonicalText.of(ObjectKind.CONSTRAINT, after)).isEqualTo(after);
        assertThat(CanonicalText.of(
                        ObjectKind.INDEX,
                        "(x = ANY ((ARRAY[(a)::\"T\", f('],(', b), (ARRAY[1, 2])::bigint[]])::s.\"T y\"[]))"))
                .isEqualTo("(x = ANY (ARRAY[((a)::\"T\")::s.\"T y\", (f('],(', b))::s.\"T y\","
                        + " (ARRAY[(1)::bigint, (2)::bigint])::s.\"T y\"]))");
        String body = "CREATE FUNCTION f()\nAS $function$SELECT (ARRAY[a])::text[]$function$";
        assertThat(CanonicalText.of(ObjectKind.FUNCTION, body)).isEqualTo(body);
    }

    @Test
    void a_view_is_the_same_in_the_words_of_15_and_of_16() {
        assertSame(
                "AS\n SELECT t.id AS b,\n    'x t.id'::text, t.\"a.b\", t.*, t.f(1)\n   FROM s.x t\n  WHERE t.id > 3;",
                "AS\n SELECT id AS b,\n    'x t.id'::text, \"a.b\", t.*, t.f(1)\n   FROM s.x t\n  WHERE id > 3;");
        assertSame(
                "AS\n SELECT x.id\n   FROM s.x\n  WHERE (EXISTS ( SELECT 1 FROM s.y x_1 WHERE (x_1.id = x.id)));",
                "AS\n SELECT id\n   FROM s.x\n  WHERE (EXISTS ( SELECT 1 FROM s.y x_1 WHERE (x_1.id = x.id)));");
        assertSame(
                "AS\n SELECT g.n\n   FROM generate_series(1, 3) g(n)\n  ORDER BY g.n;",
                "AS\n SELECT n\n   FROM generate_series(1, 3) g(n)\n  ORDER BY n;");
        assertSame(
                "AS\n SELECT a.id\n   FROM (s.a\n     JOIN s.b ON ((a.id = b.id)));",
                "AS\n SELECT a.id\n   FROM (s.a\n     JOIN s.b ON ((a.id = b.id)));");
        assertSame(
                "AS\n SELECT a.id\n   FROM s.a\nUNION\n SELECT b.id\n   FROM s.b;",
                "AS\n SELECT a.id\n   FROM s.a\nUNION\n SELECT b.id\n   FROM s.b;");
        assertSame(
                "AS\n SELECT DISTINCT ON (t.a) t.b AS a,\n    f(t.a ORDER BY t.a, t.c) AS n\n   FROM s.t\n  GROUP BY t.a\n"
                        + "  ORDER BY t.a DESC, t.c, (t.a + 1)\n LIMIT 3;",
                "AS\n SELECT DISTINCT ON (t.a) b AS a,\n    f(a ORDER BY t.a, c) AS n\n   FROM s.t\n  GROUP BY a\n"
                        + "  ORDER BY t.a DESC, c, (a + 1)\n LIMIT 3;");
        assertSame(
                "AS\n SELECT x.a\n   FROM s.t x TABLESAMPLE system (10)\n  WHERE (x.a > 3);",
                "AS\n SELECT a\n   FROM s.t x TABLESAMPLE system (10)\n  WHERE (a > 3);");
        assertSame(
                "AS\n SELECT t.a[t.f:t.\"USER\"], x::t.d\n   FROM s.t;",
                "AS\n SELECT a[f:\"USER\"], x::t.d\n   FROM s.t;");
        assertSame("AS\n SELECT a.x, b.x\n   FROM s.a,\n    s.b;", "AS\n SELECT a.x, b.x\n   FROM s.a,\n    s.b;");
    }

    @Test
    void what_was_stored_in_the_first_format_is_the_same_as_what_is_read_today() {
        String stored =
                "{\"formatVersion\": 1, \"objects\": [{\"kind\": \"VIEW\", \"name\": \"v\", \"parent\": null, \"needs\": [],"
                        + " \"definition\": \"AS\\n SELECT b AS a\\n   FROM t\\n  ORDER BY a;\"}]}";
        SchemaObject today = object(
                ObjectKind.VIEW,
                "v",
                null,
                CanonicalText.of(ObjectKind.VIEW, "AS\n SELECT t.b AS a\n   FROM t\n  ORDER BY t.a;"));

        Schema first = SchemaDocument.read(Zstd.compress(stored.getBytes(StandardCharsets.UTF_8), 3));

        assertThat(today.definition()).isEqualTo("AS\n SELECT b AS a\n   FROM t\n  ORDER BY t.a;");
        assertThat(SchemaComparison.of(first, schema(today)).differences()).isEmpty();
        assertThat(mending(first, schema()))
                .containsExactly("-- loses by which column it sorts, if that is the one that it shows under this name\n"
                        + "CREATE VIEW v AS\n SELECT b AS a\n   FROM t\n  ORDER BY a");
        assertThat(mending(schema(today), schema())).singleElement().asString().startsWith("CREATE VIEW v AS");
    }

    @Test
    void a_secret_is_not_kept_nor_anything_by_which_it_could_be_found() {
        String options =
                "OPTIONS (host 'a', password E'p\\\\q''r', \"Pass file\" '/x', url 'pg://u:p@h/d', dsn 'host=h;Pwd=x', key 'k',"
                        + " connstr 'x', sslkey '/y', connect_timeout '10', keep_connections 'on', program 'curl -H \"Authorization: x\"',"
                        + " path 'a?sig=x')";

        assertThat(ForeignOptions.withoutSecrets(ObjectKind.SERVER, "FOREIGN DATA WRAPPER w " + options))
                .isEqualTo("FOREIGN DATA WRAPPER w OPTIONS (host 'a', password '<secret>', \"Pass file\" '<secret>',"
                        + " url '<secret>', dsn '<secret>', key '<secret>', connstr '<secret>', sslkey '<secret>',"
                        + " connect_timeout '10', keep_connections 'on', program '<secret>', path '<secret>')");
        assertThat(ForeignOptions.withoutSecrets(
                        ObjectKind.USER_MAPPING, "OPTIONS (\"user\" 'a', pw 'b', conn 'c', anything 'd')"))
                .isEqualTo("OPTIONS (\"user\" 'a', pw '<secret>', conn '<secret>', anything '<secret>')");
        assertThat(ForeignOptions.withoutSecrets(ObjectKind.COLUMN, "integer OPTIONS (name 'ID')"))
                .isEqualTo("integer OPTIONS (name 'ID')");
        assertThat(new Setting("my.api_key", null).withoutSecret("'x'")).isEqualTo("'<secret>'");
        assertThat(new Setting("password_encryption", null).withoutSecret("'md5'"))
                .isEqualTo("'md5'");
    }

    @Test
    void what_was_stored_in_formats_before_this_one_is_the_same_as_what_is_read_today() {
        for (int format = 1; format <= 2; format++) {
            String secret = format == 1 ? "a" : "<secret 0123abcd>";
            String stored = "{\"formatVersion\": " + format
                    + ", \"objects\": [{\"kind\": \"SERVER\", \"name\": \"s\", \"parent\": null, \"needs\": [],"
                    + " \"definition\": \"FOREIGN DATA WRAPPER w OPTIONS (dsn 'Pwd=x', password '" + secret + "')\"}"
                    + (format == 1
                            ? "]}"
                            : ", {\"kind\": \"SETTING\", \"name\": \"search_path\", \"parent\": null, \"needs\": [],"
                                    + " \"definition\": \"\\\"$user\\\", x';ALTER/**/ROLE\"}], \"kinds\": [\"SERVER\", \"SETTING\"]}");
            SchemaObject server = object(
                    ObjectKind.SERVER,
                    "s",
                    null,
                    ForeignOptions.withoutSecrets(
                            ObjectKind.SERVER, "FOREIGN DATA WRAPPER w OPTIONS (dsn 'Pwd=y', password 'b')"));
            SchemaObject path = object(ObjectKind.SETTING, "search_path", null, "'$user', 'x'';alter/**/role'");
            Schema before = SchemaDocument.read(Zstd.compress(stored.getBytes(StandardCharsets.UTF_8), 3));

            assertThat(SchemaComparison.of(before, format == 1 ? schema(server) : schema(server, path))
                            .differences())
                    .isEmpty();
            Schema again = SchemaDocument.read(SchemaDocument.write(before));
            assertThat(again.objects()).containsExactlyElementsOf(before.objects());
        }
    }

    @Test
    void what_was_not_looked_at_when_it_was_stored_is_no_difference() {
        SchemaObject server = object(ObjectKind.SERVER, "s", null, "FOREIGN DATA WRAPPER w");
        SchemaObject mapping = object(ObjectKind.USER_MAPPING, "clerk", server, "");
        Schema first = new Schema(List.of(server), EnumSet.of(ObjectKind.SERVER));

        assertThat(SchemaComparison.of(first, schema(server, mapping)).differences())
                .isEmpty();
        assertThat(SchemaComparison.of(schema(server), schema(server, mapping)).differences())
                .hasSize(1);
    }

    private static void assertSame(String printed, String canonical) {
        assertThat(CanonicalText.of(ObjectKind.VIEW, printed)).isEqualTo(canonical);
    }
}
