package io.nightshift.infra.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The effective configuration for {@code config show}: defaults filled in, secrets masked, with the files it came from. */
public record ConfigurationView(List<Entry> entries) {

    /**
     * One file's worth.
     *
     * @param name such as {@code clusters/chanuka}
     * @param sources the files that say something about it, a profile's last; or {@code environment}, {@code default}
     * @param values keys in the order of the file, then the defaults; plain values as in JSON
     */
    public record Entry(String name, List<String> sources, Map<String, Object> values) {}

    public ConfigurationView {
        entries = List.copyOf(entries);
    }

    /** By name, each with its {@code source}. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Entry entry : entries) {
            Map<String, Object> values = new LinkedHashMap<>();
            values.put("source", String.join(", ", entry.sources()));
            values.putAll(entry.values());
            map.put(entry.name(), values);
        }
        return map;
    }

    /** Shows a record, and more that it does not hold, in the order of its file; its name is the entry's. */
    static Entry entry(Document document, Record record, Map<String, String> more) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>(more);
        all.putAll(RecordBinder.toMap(record));
        all.remove("name");
        return new Entry(document.path(), document.sources(), ordered(all, document.content()));
    }

    private static Map<String, Object> ordered(Map<String, ?> all, Value.@Nullable Mapping file) {
        List<String> keys =
                new ArrayList<>(file == null ? List.of() : file.entries().keySet());
        keys.retainAll(all.keySet());
        all.keySet().stream().filter(key -> !keys.contains(key)).forEach(keys::add);
        Map<String, Object> ordered = new LinkedHashMap<>();
        for (String key : keys) {
            Object value = all.get(key);
            if (value instanceof Map<?, ?> inner) {
                Value.Mapping innerFile = file != null && file.get(key) instanceof Value.Mapping map ? map : null;
                ordered.put(key, ordered(texts(inner), innerFile));
            } else if (value != null) {
                ordered.put(key, value);
            }
        }
        return ordered;
    }

    private static Map<String, Object> texts(Map<?, ?> map) {
        Map<String, Object> byText = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (value != null) {
                byText.put(key.toString(), value);
            }
        });
        return byText;
    }
}
