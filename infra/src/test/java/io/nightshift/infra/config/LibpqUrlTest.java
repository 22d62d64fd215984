package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LibpqUrlTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "postgresql://                                  | localhost:5432            | {}",
                "postgresql://localhost                         | localhost:5432            | {}",
                "postgres://localhost:5433/mydb                 | localhost:5433            | {database=mydb}",
                "postgresql://user:secret@localhost             | localhost:5432            | {password=secret, username=user}",
                "postgresql://user@h/db?sslmode=require         | h:5432                    | {database=db, sslmode=require, username=user}",
                "postgresql://user@a:1,b,c:3/db                 | a:1 b:5432 c:3            | {database=db, username=user}",
                "postgresql://[2001:db8::1234]/db               | [2001:db8::1234]:5432     | {database=db}",
                "postgresql://[::1]:5433,[::1]:5434             | [::1]:5433 [::1]:5434     | {}",
                "postgresql:///mydb?host=localhost&port=5433    | localhost:5433            | {database=mydb}",
                "postgresql:///?host=a,b&port=1                 | a:1 b:1                   | {}",
                "postgresql://h?user=u&password=p&dbname=d      | h:5432                    | {database=d, password=p, username=u}",
                "postgresql://u%40x:p%3A%2F%3F%25@h/d%20b       | h:5432                    | {database=d b, password=p:/?%, username=u@x}",
                "postgresql://u:a:b+c@h                         | h:5432                    | {password=a:b+c, username=u}",
                "postgresql://u:%C3%A4@h                        | h:5432                    | {password=ä, username=u}",
                "postgresql://h?ssl=true&application_name=x     | h:5432                    | {sslmode=require}"
            })
    void reads_what_libpq_reads(String url, String nodes, String settings) {
        LibpqUrl read = LibpqUrl.parse(url);

        assertThat(read.nodes()).extracting(NodeAddress::toString).containsExactly(nodes.split(" "));
        assertThat(new TreeMap<>(read.settings())).hasToString(settings);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://u:hunter2@h",
                "hunter2",
                "postgresql://u:hunter2%@h",
                "postgresql://u:hunter2%zz@h",
                "postgresql://u:hunter2%00@h",
                "postgresql://u:hunter2%ff@h",
                "postgresql://u:x/hunter2@h",
                "postgresql://u:x@hunter2@h",
                "postgresql://h:hunter2",
                "postgresql://h:70000",
                "postgresql://[::1",
                "postgresql://[]",
                "postgresql://h?pasword=hunter2",
                "postgresql://h?password=hunter2=x",
                "postgresql://h?password",
                "postgresql://a,b,c?port=1,2"
            })
    void refuses_what_libpq_refuses_and_quotes_nothing(String url) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LibpqUrl.parse(url))
                .withMessageNotContaining("hunter2");
    }

    @Test
    void does_not_print_its_password() {
        assertThat(new LibpqUrl(List.of(), Map.of("password", "hunter2")).toString())
                .doesNotContain("hunter2");
    }
}
