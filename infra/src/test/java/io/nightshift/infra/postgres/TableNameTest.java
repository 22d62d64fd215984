package io.nightshift.infra.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TableNameTest {

    @Test
    void reads_names_as_sql_does() {
        assertThat(TableName.parse("Votes, public.votes,\"a b\".\"c,d.\"\"e\"\"\""))
                .isEqualTo(List.of(
                        new TableName(null, "votes"),
                        new TableName("public", "votes"),
                        new TableName("a b", "c,d.\"e\"")));
    }

    @Test
    void writes_them_so_that_it_reads_them_again() {
        var hostile = new TableName("Ü", "a \"b\".c,d");

        assertThat(TableName.parse(hostile.toString())).containsExactly(hostile);
        assertThat(new TableName("public", "votes")).hasToString("public.votes");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "'\"open' | a quote is not closed",
                "'a,,b' | a name is empty",
                "'' | a name is empty",
                "'a.b.c' | a schema and a name, no more",
                "'\"a\"b' | something follows a closing quote"
            })
    void says_what_is_wrong(String text, String fact) {
        assertThatThrownBy(() -> TableName.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(fact);
    }

    @Test
    void means_every_schema_without_one() {
        assertThat(new TableName(null, "votes").means("archive", "votes")).isTrue();
        assertThat(new TableName("public", "votes").means("archive", "votes")).isFalse();
    }
}
