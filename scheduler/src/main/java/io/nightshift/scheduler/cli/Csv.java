package io.nightshift.scheduler.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Comma-separated values as RFC 4180 has them: lines end in CRLF, what holds a comma, quote or line break is quoted. */
final class Csv {

    private final PrintWriter out;

    Csv(PrintWriter out, String... header) {
        this.out = out;
        row((Object[]) header);
    }

    void row(@Nullable Object... cells) {
        out.print(Arrays.stream(cells).map(Csv::cell).collect(Collectors.joining(",")) + "\r\n");
        out.flush();
    }

    private static String cell(@Nullable Object value) {
        String text = value == null ? "" : value.toString();
        boolean plain = text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
