package io.nightshift.infra.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values from what the program has in its hands, and plain maps from records. */
final class Values {

    private Values() {}

    /** A map, list, text, number or truth, as JSON gives them. */
    static Value of(Origin at, @Nullable Object plain) {
        if (plain == null) {
            return new Value.Nothing(at, true);
        }
        if (plain instanceof Map<?, ?> map) {
            return mapping(at, map);
        }
        if (plain instanceof List<?> list) {
            return new Value.Listing(
                    at, list.stream().map(element -> of(at, element)).toList());
        }
        return Value.Text.of(at, plain.toString());
    }

    static Value.Mapping mapping(Origin at, Map<?, ?> map) {
        var entries = new LinkedHashMap<String, Value.Entry>();
        map.forEach((key, value) -> entries.put(key.toString(), new Value.Entry(at, of(at, value))));
        return new Value.Mapping(at, entries);
    }

    /** A record with its values as they are, secrets included, ready to have others laid over it. */
    static Value.Mapping ofRecord(Origin at, Record record) {
        var entries = new LinkedHashMap<String, Value.Entry>();
        for (RecordShape.Component component : RecordShape.of(record.getClass()).components()) {
            entries.put(component.key(), new Value.Entry(at, known(at, component.of(record))));
        }
        return new Value.Mapping(at, entries);
    }

    private static Value known(Origin at, @Nullable Object object) {
        if (object == null) {
            return new Value.Nothing(at, true);
        }
        if (object instanceof Map<?, ?> map) {
            var entries = new LinkedHashMap<String, Value.Entry>();
            map.forEach((key, value) -> entries.put(key.toString(), new Value.Entry(at, known(at, value))));
            return new Value.Mapping(at, entries);
        }
        boolean withKeys = object instanceof Record record
                && !Scalars.isScalar(record.getClass())
                && record.getClass().getRecordComponents().length > 0;
        return withKeys ? ofRecord(at, (Record) object) : new Value.Known(at, object);
    }

    /** The map that has only this text at this key; dots lead into inner maps. */
    static Value.Mapping override(String key, String text) {
        int dot = key.indexOf('.');
        Value inner = dot < 0 ? Value.Text.of(Origin.OVERRIDE, text) : override(key.substring(dot + 1), text);
        return Value.Mapping.empty(Origin.OVERRIDE).with(dot < 0 ? key : key.substring(0, dot), inner);
    }

    static Map<String, @Nullable Object> plain(Record record) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (RecordShape.Component component : RecordShape.of(record.getClass()).components()) {
            Object value = component.of(record);
            map.put(component.key(), value == null ? null : plain(value));
        }
        return Collections.unmodifiableMap(map);
    }

    private static Object plain(Object value) {
        if (value instanceof List<?> list) {
            List<Object> plain = new ArrayList<>();
            list.forEach(element -> plain.add(plain(element)));
            return List.copyOf(plain);
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> plain = new LinkedHashMap<>();
            map.forEach((key, element) -> plain.put(key.toString(), plain(element)));
            return Collections.unmodifiableMap(plain);
        }
        if (value instanceof Record record && !Scalars.isScalar(record.getClass())) {
            boolean empty = record.getClass().getRecordComponents().length == 0;
            return empty ? Choices.nameOf(record.getClass()) : plain(record);
        }
        return Scalars.print(value);
    }

    /** A value for people, on one line. */
    static String words(Object value) {
        return String.valueOf(plain(value)).replace("=", ": ");
    }
}
