package io.nightshift.infra.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Something written in a configuration, with its place; not yet of any type. */
sealed interface Value {

    Origin at();

    /** What kind of thing it is, for people. */
    String words();

    /**
     * One word or number.
     *
     * @param text with variables replaced; may be secret
     * @param written as in the file: what messages may show
     */
    record Text(Origin at, String text, String written) implements Value {

        private static final int LONGEST_SHOWN = 60;

        static Text of(Origin at, String text) {
            return new Text(at, text, text);
        }

        /** The written form in quotes, on one line and cut short. */
        String shown() {
            String line = written.replaceAll("\\p{Cntrl}+", " ");
            return "\"" + (line.length() <= LONGEST_SHOWN ? line : line.substring(0, LONGEST_SHOWN) + "…") + "\"";
        }

        @Override
        public String words() {
            return shown();
        }

        /** Masked: the text may be a secret. */
        @Override
        public String toString() {
            return "Text[at=" + at + "]";
        }
    }

    /**
     * No value.
     *
     * @param deliberate whether somebody wrote {@code null} or {@code ~}, rather than nothing after the colon
     */
    record Nothing(Origin at, boolean deliberate) implements Value {
        @Override
        public String words() {
            return "null";
        }
    }

    /** Several values. */
    record Listing(Origin at, List<Value> elements) implements Value {

        public Listing {
            elements = List.copyOf(elements);
        }

        @Override
        public String words() {
            return "a list";
        }
    }

    /** A value that needs no reading any more: it comes from a record, or was made by the program. */
    record Known(Origin at, Object object) implements Value {
        @Override
        public String words() {
            return "\"" + object + "\"";
        }
    }

    /** A key of a map with its own place, and its value. */
    record Entry(Origin at, Value value) {}

    /** Keys and values, in the order of the file. */
    record Mapping(Origin at, Map<String, Entry> entries) implements Value {

        public Mapping {
            entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
        }

        static Mapping empty(Origin at) {
            return new Mapping(at, Map.of());
        }

        boolean has(String key) {
            return entries.containsKey(key);
        }

        @Nullable
        Value get(String key) {
            Entry entry = entries.get(key);
            return entry == null ? null : entry.value();
        }

        /** Where the key was written; the map's own place when it was not. */
        Origin at(String key) {
            Entry entry = entries.get(key);
            return entry == null ? at : entry.at();
        }

        Mapping with(String key, Value value) {
            var changed = new LinkedHashMap<>(entries);
            changed.put(key, new Entry(value.at(), value));
            return new Mapping(at, changed);
        }

        Mapping without(String key) {
            var changed = new LinkedHashMap<>(entries);
            changed.remove(key);
            return new Mapping(at, changed);
        }

        /** This map with the other's entries over it: maps merge, everything else is replaced. */
        Mapping overlaidBy(Mapping other) {
            var merged = new LinkedHashMap<>(entries);
            other.entries().forEach((key, above) -> merged.merge(key, above, Mapping::laidOver));
            return new Mapping(at, merged);
        }

        private static Entry laidOver(Entry below, Entry above) {
            boolean bothMaps = below.value() instanceof Mapping && above.value() instanceof Mapping;
            return bothMaps
                    ? new Entry(above.at(), ((Mapping) below.value()).overlaidBy((Mapping) above.value()))
                    : above;
        }

        @Override
        public String words() {
            return "a map";
        }
    }
}
