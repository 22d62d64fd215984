package io.nightshift.infra.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Columns of a real server, changed from every type to every other one. */
class TypeChangeTest {

    /** Values that do not fit everywhere. */
    private static final Map<String, List<String>> VALUES = new LinkedHashMap<>();

    static {
        List<String> texts = List.of("'longer than ten'", "'ab   '", "'new'", "'17.50'", "'2024-02-29'", "'[1,2]'");
        List<String> moments = List.of("'2024-02-29 23:59:58.123456+03'", "'1999-12-31'");
        List<String> times = List.of("'23:59:58.123456+03'");
        List<String> numbers = List.of("1", "123456.7891", "-2.5");
        VALUES.put("smallint", List.of("1", "32767"));
        VALUES.put("integer", List.of("1", "2147483647"));
        VALUES.put("bigint", List.of("1", "9223372036854775807"));
        VALUES.put("numeric", List.of("1", "123456789012345678901.123456789", "0.10"));
        VALUES.put("numeric(12,4)", numbers);
        VALUES.put("numeric(12,2)", numbers);
        VALUES.put("numeric(4,2)", List.of("1", "12.34"));
        VALUES.put("real", numbers);
        VALUES.put("double precision", List.of("0.1234567890123456", "1e200"));
        VALUES.put("text", texts);
        VALUES.put("character varying", texts);
        VALUES.put("character varying(10)", List.of("'ab   '", "'new'", "'12'"));
        VALUES.put("character varying(4)", List.of("'ab  '", "'new'", "'{1}'"));
        VALUES.put("character(8)", List.of("'new'", "'12'"));
        VALUES.put("character(3)", List.of("'new'"));
        VALUES.put("date", List.of("'2024-02-29'"));
        VALUES.put("timestamp without time zone", moments);
        VALUES.put("timestamp(3) without time zone", moments);
        VALUES.put("timestamp with time zone", moments);
        VALUES.put("timestamp(0) with time zone", moments);
        VALUES.put("time without time zone", times);
        VALUES.put("time with time zone", times);
        VALUES.put("interval", List.of("'3 days 04:05:06.789'", "'04:05:06.789'"));
        VALUES.put("interval(1)", List.of("'3 days 04:05:06.7'"));
        VALUES.put("boolean", List.of("true"));
        VALUES.put("uuid", List.of("gen_random_uuid()"));
        VALUES.put("json", List.of("'{\"b\": 1,  \"a\": 2, \"a\": 3}'"));
        VALUES.put("jsonb", List.of("'{\"b\": 1, \"a\": 2}'"));
        VALUES.put("inet", List.of("'10.1.2.3/24'", "'10.1.2.0/24'"));
        VALUES.put("cidr", List.of("'10.1.2.0/24'"));
        VALUES.put("bit(3)", List.of("B'101'"));
        VALUES.put("bit varying(5)", List.of("B'101'", "B'10101'"));
        VALUES.put("public.status", List.of("'new'"));
        VALUES.put("public.colour", List.of("'new'", "'red'"));
        VALUES.put("integer[]", List.of("'{1,2}'"));
        VALUES.put("numeric(12,4)[]", List.of("'{1,2.5555}'"));
        VALUES.put("text[]", List.of("'{new,a longer one}'"));
        VALUES.put("public.status[]", List.of("'{new}'"));
    }

    private int refused;
    private int kept;

    @Test
    void no_change_of_a_type_loses_a_value_in_silence() throws SQLException {
        List<String> lost = new ArrayList<>();
        try (TestPostgres server = TestPostgres.start(15);
                Connection session = server.connect("postgres");
                Statement statement = session.createStatement()) {
            statement.execute("CREATE TYPE status AS ENUM ('new'); CREATE TYPE colour AS ENUM ('red', 'new')");
            statement.execute("SET timezone = 'Asia/Kathmandu'");
            session.setAutoCommit(false);
            for (String from : VALUES.keySet()) {
                for (String to : VALUES.keySet()) {
                    TypeChange change = TypeChange.of(from, isEnum(from), to, isEnum(to));
                    if (change.remark()
                            .filter(remark -> remark.startsWith("loses"))
                            .isEmpty()) {
                        lost.addAll(lost(statement, from, to, change));
                    }
                }
            }
        }

        assertThat(lost).isEmpty();
        assertThat(kept).isGreaterThan(300);
        assertThat(refused).isGreaterThan(20);
    }

    private static boolean isEnum(String type) {
        return type.startsWith("public.");
    }

    private List<String> lost(Statement statement, String from, String to, TypeChange change) throws SQLException {
        List<String> lost = new ArrayList<>();
        for (String value : VALUES.get(from)) {
            statement.execute(
                    "CREATE TABLE t AS SELECT v AS was, v AS c FROM (SELECT %s::%s) x (v)".formatted(value, from));
            statement.execute("SAVEPOINT before");
            try {
                statement.execute("ALTER TABLE t ALTER c TYPE " + to
                        + (change.isAssigned()
                                ? ""
                                : " USING c::" + (change.through() == null ? "" : change.through() + "::") + to));
                try (ResultSet row =
                        statement.executeQuery("SELECT was::text, c::text, c::text::%s::text FROM t".formatted(from))) {
                    row.next();
                    kept++;
                    if (!row.getString(1).equals(row.getString(3))) {
                        lost.add(from + " to " + to + ": " + row.getString(1) + " is " + row.getString(2));
                    }
                }
            } catch (SQLException e) {
                // 42846 and 42804: there is no such cast, which a statement without a comment must not be about.
                if (List.of("42846", "42804").contains(e.getSQLState())) {
                    lost.add(from + " to " + to + ": " + e.getMessage());
                }
                refused++;
            }
            statement.getConnection().rollback();
        }
        return lost;
    }
}
