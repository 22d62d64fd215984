package io.nightshift.infra.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TableCatalogTest {

    private static TestPostgres postgres;
    private static Connection connection;

    @BeforeAll
    static void start() throws SQLException {
        postgres = TestPostgres.start(18, Map.of());
        postgres.execute(
                "postgres",
                "CREATE TABLE votes (id int)",
                "CREATE SCHEMA archive",
                "CREATE TABLE archive.votes (id int)",
                "CREATE TABLE \"My Bills\" (id int, twice int GENERATED ALWAYS AS (id * 2) STORED)",
                "CREATE VIEW shown AS SELECT FROM votes",
                "CREATE UNLOGGED TABLE fleeting (id int)",
                "CREATE TABLE tree (id int) PARTITION BY RANGE (id)",
                "CREATE TABLE low PARTITION OF tree FOR VALUES FROM (0) TO (10) PARTITION BY LIST (id)",
                "CREATE TABLE one PARTITION OF low FOR VALUES IN (1)",
                "CREATE TABLE high PARTITION OF tree FOR VALUES FROM (10) TO (20)",
                "CREATE EXTENSION IF NOT EXISTS plpgsql");
        connection = postgres.connect("postgres");
    }

    @AfterAll
    static void stop() throws SQLException {
        connection.close();
        postgres.close();
    }

    @Test
    void takes_a_partitioned_table_as_one_and_knows_where_its_rows_are() throws SQLException {
        CopiedTable tree = catalog().find(TableName.parse("tree")).get(0);
        List<CopiedTable> all = catalog().all();

        assertThat(tree.members())
                .extracting(Object::toString)
                .containsExactly("public.tree", "public.high", "public.low", "public.one");
        assertThat(tree.leaves()).extracting(Object::toString).containsExactly("public.high", "public.one");
        assertThat(all)
                .extracting(CopiedTable::toString)
                .containsExactly(
                        "archive.votes", "public.\"My Bills\"", "public.fleeting", "public.tree", "public.votes");
        assertThat(all.get(1).columnList()).isEqualTo(" (\"id\")");
        assertThat(all.get(1).fileName()).isEqualTo("public.My%20Bills");
        assertThat(all.get(2).unlogged()).isTrue();
    }

    @Test
    void names_what_is_near_or_several_or_no_table() {
        assertWrong(
                "votse", "there is no table votse in database postgres", "did you mean archive.votes or public.votes?");
        assertWrong(
                "My Bills",
                "there is no table \"my bills\"",
                "did you mean public.\"My Bills\"? Names with upper case");
        assertWrong("qqqqqq", "there is no table qqqqqq", "it has archive.votes, public.\"My Bills\", ");
        assertWrong(
                "votes", "several tables votes in database postgres: archive.votes, public.votes", "name the schema");
        assertWrong("shown", "public.shown in database postgres is a view, no table", "name the tables behind it");
        assertWrong("archive.one", "there is no table archive.one", "did you mean public.one?");
    }

    private static TableCatalog catalog() throws SQLException {
        return new TableCatalog(connection, "postgres");
    }

    private static void assertWrong(String name, String fact, String hint) {
        assertThatThrownBy(() -> catalog().find(TableName.parse(name)))
                .isInstanceOfSatisfying(NightshiftException.class, wrong -> {
                    assertThat(wrong.kind()).isEqualTo(FailureKind.CONFIGURATION);
                    assertThat(wrong.hint()).contains(hint);
                })
                .hasMessageContaining(fact);
    }
}
