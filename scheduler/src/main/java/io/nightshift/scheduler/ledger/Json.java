package io.nightshift.scheduler.ledger;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The one JSON of ledger, command line and API: enums in lower case, times ISO-8601, unknown fields of newer versions
 * ignored.
 */
public final class Json {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS)
            .build();

    private Json() {}

    public static String write(Object value) {
        return MAPPER.writeValueAsString(value);
    }

    /** For people and for the one document of {@code --output json}. */
    public static String writePretty(Object value) {
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(value);
    }

    public static <T> T read(String json, Class<T> type) {
        return MAPPER.readValue(json, type);
    }

    public static Map<String, Object> readMap(String json) {
        return MAPPER.readValue(json, new TypeReference<Map<String, Object>>() {});
    }

    /** A record as the map of its JSON. */
    public static Map<String, Object> toMap(Object record) {
        return MAPPER.convertValue(record, new TypeReference<Map<String, Object>>() {});
    }

    /** Reads what an older or newer version may have written; null when it cannot be read. */
    public static <T> @Nullable T readLeniently(@Nullable String json, Class<T> type) {
        if (json == null) {
            return null;
        }
        try {
            return read(json, type);
        } catch (JacksonException unreadable) {
            return null;
        }
    }
}
