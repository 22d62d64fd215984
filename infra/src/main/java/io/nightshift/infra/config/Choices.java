package io.nightshift.infra.config;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A sealed interface of records, one of which is written: an empty record by its name, such as {@code continuous}, the
 * others as maps that have their first key, such as {@code {every: 15m}}.
 */
record Choices(List<Class<? extends Record>> named, List<Class<? extends Record>> maps) {

    static Choices of(Class<?> sealed) {
        var byEmptiness = records(sealed)
                .collect(Collectors.partitioningBy(permitted -> permitted.getRecordComponents().length == 0));
        return new Choices(byEmptiness.getOrDefault(true, List.of()), byEmptiness.getOrDefault(false, List.of()));
    }

    private static Stream<Class<? extends Record>> records(Class<?> sealed) {
        return Arrays.stream(sealed.getPermittedSubclasses())
                .flatMap(permitted ->
                        permitted.isRecord() ? Stream.of(permitted.asSubclass(Record.class)) : records(permitted));
    }

    /** The empty record of that name. */
    Optional<Record> withName(String word) {
        return named.stream()
                .filter(choice -> nameOf(choice).equals(word))
                .findFirst()
                .map(choice -> RecordShape.of(choice).create(new Object[0]));
    }

    /** The records whose first key the map has: there should be one. */
    List<Class<? extends Record>> keyed(Value.Mapping mapping) {
        return maps.stream().filter(choice -> mapping.has(firstKey(choice))).toList();
    }

    /** The clause that names the nearest choice to what was written, if any. */
    String question(Value written) {
        if (written instanceof Value.Text text) {
            return Nearest.question(
                    text.text(), named.stream().map(Choices::nameOf).toList());
        }
        List<String> keys = maps.stream().map(Choices::firstKey).toList();
        return written instanceof Value.Mapping mapping
                ? mapping.entries().keySet().stream()
                        .map(key -> Nearest.question(key, keys))
                        .filter(question -> !question.isEmpty())
                        .findFirst()
                        .orElse("")
                : "";
    }

    String words() {
        String asMaps =
                maps.stream().map(choice -> "{" + firstKey(choice) + ": …}").collect(Collectors.joining(", "));
        return asMaps + named.stream().map(choice -> ", " + nameOf(choice)).collect(Collectors.joining());
    }

    static String nameOf(Class<?> choice) {
        return Names.kebab(choice.getSimpleName());
    }

    static String firstKey(Class<? extends Record> choice) {
        return Names.kebab(choice.getRecordComponents()[0].getName());
    }
}
