package io.nightshift.infra.sample;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An SQL script among the resources of this package: steps, each begun by a line {@code -- step: name}, with variables
 * written as psql has them, {@code :name}.
 */
final class SqlScript {

    record Step(String name, String sql) {}

    private static final Pattern STEP = Pattern.compile("(?m)^-- step: ");

    /** {@code :name}, but neither a cast nor a part of a time of day. */
    static final Pattern VARIABLE = Pattern.compile("(?<![:\\w]):([a-z_]+)");

    private SqlScript() {}

    static List<Step> read(String name, Map<String, String> variables) {
        return STEP.splitAsStream(text(name))
                .skip(1) // what stands before the first step is for the reader
                .map(step -> step.split("\\R", 2))
                .map(step -> new Step(step[0].strip(), substitute(step[1], variables)))
                .toList();
    }

    private static String substitute(String sql, Map<String, String> variables) {
        return VARIABLE.matcher(sql)
                .replaceAll(found -> Matcher.quoteReplacement(
                        Objects.requireNonNull(variables.get(found.group(1)), () -> "no variable " + found.group())));
    }

    private static String text(String name) {
        try (InputStream script = SqlScript.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(script, name).readAllBytes(), UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
