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
 * collected; a compact constructor refuses with an IllegalArgumentException, which belongs to the key that its message
 * begins with, otherwise to the whole map.
 */
public final class RecordBinder {

    /** What became of a value that is wrong; null is a value of its own. */
    private static final Object REFUSED = new Object();

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
        boolean unresolved = values.contains(REFUSED);
        return problems.count() > before || unresolved ? Optional.empty() : create(shape, values, mapping, path, keys);
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
        return elements.contains(REFUSED) ? REFUSED : List.copyOf(elements);
    }

    private Object map(Type type, Value value, String path) {
        if (!(value instanceof Value.Mapping mapping)) {
            return refuse(value, path, Types.words(type));
        }
        Type valueType = Types.argument(type, 1);
        Map<String, Object> entries = new LinkedHashMap<>();
        mapping.entries()
                .forEach((key, entry) -> entries.put(key, element(valueType, entry.value(), inside(path, key))));
        return entries.containsValue(REFUSED) ? REFUSED : Collections.unmodifiableMap(entries);
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

    private <R extends Record> Optional<R> create(
            RecordShape<R> shape,
            List<@Nullable Object> values,
            Value.Mapping mapping,
            String path,
            List<String> keys) {
        try {
            return Optional.of(shape.create(values.toArray()));
        } catch (RuntimeException refusal) {
            String message = refusal instanceof IllegalArgumentException && refusal.getMessage() != null
                    ? refusal.getMessage()
                    : "not accepted: " + refusal;
            Optional<String> blamed = keys.stream()
                    .filter(key ->
                            message.equals(key) || message.matches("(?s)" + Pattern.quote(key) + "[^A-Za-z0-9-].*"))
                    .max(Comparator.comparingInt(String::length));
            problems.add(
                    blamed.map(mapping::at).orElse(mapping.at()),
                    blamed.map(key -> inside(path, key)).orElse(path),
                    blamed.map(key -> message.substring(key.length()).replaceFirst("^[: ]+", ""))
                            .orElse(message));
            return Optional.empty();
        }
    }

    static String inside(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }
}
