package io.nightshift.infra.config;

import io.nightshift.infra.config.RecordShape.Component;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Turns maps of a configuration into records and back. Keys are the component names in kebab-case; types are those of
 * {@link Scalars}, {@link Secret}, lists, maps by name, records, and sealed interfaces of records. Every problem is
 * collected; a compact constructor refuses with {@link Refusals} or an IllegalArgumentException, each fact of which
 * belongs to the key that it begins with, otherwise to the whole map.
 */
public final class RecordBinder {

    private static final Object REFUSED = new Refused(null);

    private final Problems problems;

    RecordBinder(Problems problems) {
        this.problems = problems;
    }

    /**
     * Reads a record from the map that {@link #toMap} gave, or from part of it: what is absent has its default.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException CONFIGURATION with every problem
     */
    public static <R extends Record> R fromMap(Class<R> type, Map<String, ?> map) {
        return orThrow(type, Values.mapping(Origin.STORED, map));
    }

    /**
     * The record with some keys changed, as {@code --set key=value} asks; inner keys are written with dots, lists and
     * maps as in YAML: {@code [a, b]}.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException CONFIGURATION with every problem
     */
    public static <R extends Record> R withOverrides(R record, Map<String, String> overrides) {
        @SuppressWarnings("unchecked") // getClass of an R is an R's class
        var type = (Class<R>) record.getClass();
        Value.Mapping changed = Values.ofRecord(Origin.OVERRIDE, record);
        for (var override : overrides.entrySet()) {
            changed = changed.overlaidBy(Values.override(override.getKey(), override.getValue()));
        }
        return orThrow(type, changed);
    }

    /** The record as numbers, truths, texts, lists and maps, ready for JSON. Secrets are masked, absences are null. */
    public static Map<String, @Nullable Object> toMap(Record record) {
        return Values.plain(record);
    }

    private static <R extends Record> R orThrow(Class<R> type, Value.Mapping mapping) {
        var problems = new Problems();
        Optional<R> bound = new RecordBinder(problems).bind(type, mapping, "");
        problems.throwIfAny();
        return bound.orElseThrow();
    }

    <R extends Record> Optional<R> bind(Class<R> type, Value.Mapping mapping, String path) {
        return bind(type, mapping, path, Map.of());
    }

    /** Binds a map; empty when something was wrong. Given components are no keys: the program knows their values. */
    <R extends Record> Optional<R> bind(Class<R> type, Value.Mapping mapping, String path, Map<String, ?> given) {
        RecordShape<R> shape = RecordShape.of(type);
        List<String> keys =
                shape.keys().stream().filter(key -> !given.containsKey(key)).toList();
        int before = problems.count();
        mapping.entries().keySet().stream()
                .filter(key -> !keys.contains(key))
                .forEach(key -> unknown(mapping.at(key), inside(path, key), key, keys));
        List<@Nullable Object> values = new ArrayList<>();
        for (Component component : shape.components()) {
            Object fixed = given.get(component.key());
            values.add(fixed != null ? fixed : component(shape, component, mapping, path));
        }
        boolean wrong = problems.count() > before || values.stream().anyMatch(Refused.class::isInstance);
        Optional<R> record = new Construction<>(shape, keys, mapping, path).of(values);
        return wrong ? Optional.empty() : record;
    }

    /** Makes the record, or tells all that its constructor finds wrong. */
    private final class Construction<R extends Record> {

        private final RecordShape<R> shape;
        private final List<String> keys;
        private final Value.Mapping mapping;
        private final String path;

        Construction(RecordShape<R> shape, List<String> keys, Value.Mapping mapping, String path) {
            this.shape = shape;
            this.keys = keys;
            this.mapping = mapping;
            this.path = path;
        }

        /** For refused values their defaults stand in, so that the others are judged at once. */
        Optional<R> of(List<@Nullable Object> values) {
            List<String> refused = new ArrayList<>();
            List<@Nullable Object> judged = new ArrayList<>();
            for (Component component : shape.components()) {
                Object value = values.get(judged.size());
                if (value instanceof Refused partly && partly.rest() != null) {
                    judged.add(partly.rest());
                } else if (value instanceof Refused) {
                    refused.add(component.key());
                    Object otherwise = shape.defaultOf(component);
                    judged.add(
                            otherwise == null && !component.optional() ? Types.nothingOf(component.type()) : otherwise);
                } else {
                    judged.add(value);
                }
            }
            try {
                return Optional.of(shape.create(judged.toArray()));
            } catch (RuntimeException refusal) {
                boolean judgement = refused.isEmpty() || refusal instanceof IllegalArgumentException;
                if (judgement) {
                    Refusals.facts(refusal).stream()
                            .filter(fact -> refused.stream().noneMatch(key -> names(fact, key)))
                            .forEach(this::tell);
                }
                return Optional.empty();
            }
        }

        private void tell(String fact) {
            Optional<String> blamed = keys.stream()
                    .filter(key -> fact.equals(key) || fact.matches("(?s)" + Pattern.quote(key) + "[^A-Za-z0-9-].*"))
                    .max(Comparator.comparingInt(String::length));
            problems.add(
                    blamed.map(mapping::at).orElse(mapping.at()),
                    blamed.map(key -> inside(path, key)).orElse(path),
                    blamed.map(key -> fact.substring(key.length()).replaceFirst("^[: ]+", ""))
                            .orElse(fact));
        }

        /** A fact about a value that is refused anyway only repeats that. */
        private static boolean names(String fact, String key) {
            return Pattern.compile("(?<![A-Za-z0-9-])" + Pattern.quote(key) + "(?![A-Za-z0-9-])")
                    .matcher(fact)
                    .find();
        }
    }

    void unknown(Origin at, String path, String key, List<String> keys) {
        String meant = Nearest.question(key, keys);
        problems.add(at, path, "unknown key" + (meant.isEmpty() ? "; accepted: " + String.join(", ", keys) : meant));
    }

    private @Nullable Object component(RecordShape<?> shape, Component component, Value.Mapping mapping, String path) {
        String key = inside(path, component.key());
        Value value = mapping.get(component.key());
        Object otherwise = shape.defaultOf(component);
        if (value == null) {
            if (otherwise == null && !component.optional()) {
                problems.add(mapping.at(), key, "missing; accepted: " + Types.words(component.type()));
                return REFUSED;
            }
            return otherwise;
        }
        if (value instanceof Value.Nothing nothing) {
            if (nothing.deliberate() && component.optional()) {
                return null;
            }
            problems.add(
                    value.at(),
                    key,
                    "has no value; accepted: " + Types.words(component.type()) + orLeaveOut(otherwise));
            return REFUSED;
        }
        if (value instanceof Value.Mapping inner
                && otherwise instanceof Record base
                && base.getClass() == component.type()) {
            Value.Mapping whole = Values.ofRecord(inner.at(), base).overlaidBy(inner);
            return value(component.type(), new Value.Mapping(inner.at(), whole.entries()), key);
        }
        return value(component.type(), value, key);
    }

    private static String orLeaveOut(@Nullable Object otherwise) {
        return otherwise == null ? "" : "; without the key it is " + Values.words(otherwise);
    }

    private Object value(Type type, Value written, String path) {
        if (written instanceof Value.Known known) {
            return known.object() instanceof Substitution.Unresolved ? REFUSED : known.object();
        }
        Class<?> raw = Types.raw(type);
        if (Scalars.isScalar(raw)) {
            return scalar(raw, written, path);
        }
        if (raw == Secret.class) {
            return written instanceof Value.Text text
                    ? new SecretReader(problems)
                            .read(text, path)
                            .<Object>map(secret -> secret)
                            .orElse(REFUSED)
                    : refuse(written, path, "text");
        }
        Value value =
                written instanceof Value.Text text && text.at().equals(Origin.OVERRIDE) ? flow(text, path) : written;
        if (raw == List.class) {
            return list(type, value, path);
        }
        if (raw == Map.class) {
            return map(type, value, path);
        }
        return raw.isSealed() ? oneOf(raw, value, path) : record(raw, value, path);
    }

    private Value flow(Value.Text text, String path) {
        boolean flow = text.text().startsWith("[") || text.text().startsWith("{");
        return flow ? YamlReader.flow(path, text.text(), problems).orElse(text) : text;
    }

    private Object scalar(Class<?> type, Value value, String path) {
        if (!(value instanceof Value.Text text)) {
            return refuse(value, path, Scalars.words(type));
        }
        try {
            return Scalars.parse(type, text.text());
        } catch (IllegalArgumentException refusal) {
            // What a variable holds is not shown: it may have been meant for another key.
            String fact = String.valueOf(refusal.getMessage()).replace("\"" + text.text() + "\"", text.shown());
            problems.add(value.at(), path, fact.lines().findFirst().orElse("is not accepted"));
            return REFUSED;
        }
    }

    private Object list(Type type, Value value, String path) {
        if (!(value instanceof Value.Listing listing)) {
            return refuse(value, path, Types.words(type));
        }
        Type elementType = Types.argument(type, 0);
        List<Object> elements = new ArrayList<>();
        for (Value element : listing.elements()) {
            elements.add(element(elementType, element, path + "[" + elements.size() + "]"));
        }
        List<Object> accepted = elements.stream()
                .filter(element -> !(element instanceof Refused))
                .toList();
        return accepted.size() == elements.size() ? accepted : accepted.isEmpty() ? REFUSED : new Refused(accepted);
    }

    private Object map(Type type, Value value, String path) {
        if (!(value instanceof Value.Mapping mapping)) {
            return refuse(value, path, Types.words(type));
        }
        Type valueType = Types.argument(type, 1);
        Map<String, Object> entries = new LinkedHashMap<>();
        mapping.entries()
                .forEach((key, entry) -> entries.put(key, element(valueType, entry.value(), inside(path, key))));
        return entries.values().stream().anyMatch(Refused.class::isInstance)
                ? REFUSED
                : Collections.unmodifiableMap(entries);
    }

    private Object element(Type type, Value value, String path) {
        return value instanceof Value.Nothing ? refuse(value, path, Types.words(type)) : value(type, value, path);
    }

    private Object record(Class<?> type, Value value, String path) {
        return value instanceof Value.Mapping mapping && type.isRecord()
                ? bind(type.asSubclass(Record.class), mapping, path)
                        .<Object>map(record -> record)
                        .orElse(REFUSED)
                : refuse(value, path, Types.words(type));
    }

    private Object oneOf(Class<?> type, Value value, String path) {
        Choices choices = Choices.of(type);
        if (value instanceof Value.Text text) {
            Optional<Record> named = choices.withName(text.text());
            if (named.isPresent()) {
                return named.get();
            }
        }
        List<Class<? extends Record>> chosen =
                value instanceof Value.Mapping mapping ? choices.keyed(mapping) : List.of();
        if (chosen.size() == 1) {
            return record(chosen.get(0), value, path);
        }
        String fact = chosen.isEmpty()
                ? value.words() + " is not accepted"
                : String.join(" and ", chosen.stream().map(Choices::firstKey).toList()) + " exclude each other";
        problems.add(value.at(), path, fact + "; accepted: " + choices.words() + choices.question(value));
        return REFUSED;
    }

    private Object refuse(Value value, String path, String accepted) {
        problems.add(value.at(), path, value.words() + " is not accepted; accepted: " + accepted);
        return REFUSED;
    }

    static String inside(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /**
     * A value that is told to be wrong.
     *
     * @param rest what is right of it, to judge that too; null when nothing is
     */
    private record Refused(@Nullable Object rest) {}
}
