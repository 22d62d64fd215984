package io.nightshift.jobs.proof;

import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What somebody knows of the data, as SQL: it must return one row with {@code t}. */
record SqlAssertion(
        @Describe("where it is asked") String database,

        @Describe("a query that returns one row with one boolean; anything but t is a finding")
        String sql) {

    SqlAssertion {
        new Refusals()
                .when(database.isBlank(), "database is empty")
                .when(sql.isBlank(), "sql is empty")
                .throwIfAny();
    }

    /** What these rows say against it; empty if they are one row with {@code t}. */
    Optional<String> contradiction(List<List<@Nullable String>> rows) {
        String first = rows.isEmpty() ? "no row" : row(rows.get(0));
        if (rows.size() == 1 && first.equals("t")) {
            return Optional.empty();
        }
        String said = rows.size() > 1 ? rows.size() + " rows, the first: " + first : first;
        return Optional.of("returned " + said + ", expected one row with t: " + shown());
    }

    private static String row(List<@Nullable String> values) {
        String row =
                values.stream().map(value -> value == null ? "NULL" : value).collect(Collectors.joining(", "));
        return row.length() <= 100 ? row : row.substring(0, 99) + "…";
    }

    /** On one line, cut short. */
    String shown() {
        String line = sql.strip().replaceAll("\\s+", " ");
        return line.length() <= 100 ? line : line.substring(0, 99) + "…";
    }
}
