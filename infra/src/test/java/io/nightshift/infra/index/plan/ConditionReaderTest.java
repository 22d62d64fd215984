package io.nightshift.infra.index.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.index.plan.Clause.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Conditions as PostgreSQL prints them. */
class ConditionReaderTest {

    private static List<String> read(String alias, String condition) {
        return new ConditionReader(alias)
                .clauses(condition).stream()
                        .map(clause -> clause.kind() + " " + clause.key() + (clause.isColumn() ? "" : " (expression)"))
                        .toList();
    }

    @Test
    void each_condition_is_read_by_itself() {
        assertThat(read(
                        "b",
                        "((b.introduced_on >= $2) AND (b.introduced_on <= $3) AND (b.number ~~ $4) AND (b.chamber = ANY"
                                + " ('{senate,x}'::text[])) AND (b.sponsor_id = ANY ($1)) AND (b.read_at IS NULL) AND (NOT b.hidden)"
                                + " AND b.shown AND (b.at IS NOT NULL) AND ((b.email)::text = 'a AND (b'::text))"))
                .containsExactly(
                        "ABOVE introduced_on",
                        "BELOW introduced_on",
                        "ANY chamber",
                        "ANY sponsor_id",
                        "NULL read_at",
                        "FALSE hidden",
                        "TRUE shown",
                        "NOT_NULL at",
                        "EQUAL email");
        assertThat(read("bills", "(bills.topic = $1)")).containsExactly("EQUAL topic");
    }

    @Test
    void only_what_is_asked_of_the_table_counts() {
        assertThat(read("c", "(c.user_id = u.id)")).containsExactly("EQUAL user_id");
        assertThat(read("u", "(c.user_id = u.id)")).containsExactly("EQUAL id");
        assertThat(read("u", "(c.at < u.at)")).containsExactly("ABOVE at");
        assertThat(read("c", "(c.a = c.b)")).isEmpty();
        assertThat(read("c", "((c.a = $1) OR (c.b = $2))")).isEmpty();
        assertThat(read("c", "(c.a <> $1)")).isEmpty();
        assertThat(read("c", "(cc.a = $1)")).isEmpty();
        assertThat(read("c", "((c.a + 1) = $1)")).containsExactly("EQUAL (a + 1) (expression)");
        assertThat(read("c", "(lower(c.name) = lower($1))")).containsExactly("EQUAL lower(name) (expression)");
    }

    @Test
    void odd_names_are_read() {
        assertThat(read("Or\"der", "((\"Or\"\"der\".\"from\" = $1) AND (\"Or\"\"der\".\"a b\" > 5))"))
                .containsExactly("EQUAL from", "ABOVE a b");
    }

    @Test
    void a_condition_without_parameters_may_be_that_of_a_partial_index() {
        var reader = new ConditionReader("t");

        List<Clause> clauses = reader.clauses(
                "((t.a IS NULL) AND (NOT t.b) AND (t.c = 'x''y'::text) AND (t.d = 5) AND (t.e = $1) AND (t.f = now())"
                        + " AND (t.g = 'x'::app.kind) AND (t.h > 5))");

        assertThat(clauses)
                .filteredOn(Clause::isConstant)
                .extracting(Clause::sql)
                .containsExactly("(a IS NULL)", "(NOT b)", "(c = 'x''y'::text)", "(d = 5)");
        assertThat(clauses.get(2).literal()).isEqualTo("x'y");
        assertThat(clauses.get(2).kind()).isEqualTo(Kind.EQUAL);
    }
}
