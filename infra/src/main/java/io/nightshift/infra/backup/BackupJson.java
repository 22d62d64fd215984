package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.run.RunId;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.deser.std.StdDeserializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/** The JSON of our objects: values as PostgreSQL prints them, times ISO-8601 UTC, fields added but never renamed. */
public final class BackupJson {

    public static final JsonMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .addModule(values())
            .build();

    private BackupJson() {}

    public static byte[] bytes(Object value) {
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(value);
    }

    private static SimpleModule values() {
        var module = new SimpleModule("nightshift");
        add(module, Lsn.class, Lsn::parse);
        add(module, SystemIdentifier.class, SystemIdentifier::parse);
        addNumber(module, Timeline.class, timeline -> Integer.toUnsignedLong(timeline.id()), Timeline::parse);
        addNumber(module, RunId.class, RunId::number, text -> new RunId(Long.parseLong(text)));
        add(module, BackupLabel.class, BackupLabel::parse);
        add(
                module,
                BackupType.class,
                text -> BackupType.of(text)
                        .orElseThrow(() -> new IllegalArgumentException("\"" + text + "\" is no backup type")));
        return module;
    }

    private static <T> void add(SimpleModule module, Class<T> type, Function<String, T> parse) {
        module.addSerializer(new AsText<>(type));
        module.addDeserializer(type, new FromText<>(type, parse));
    }

    private static <T> void addNumber(
            SimpleModule module, Class<T> type, ToLongFunction<T> number, Function<String, T> parse) {
        module.addSerializer(new AsNumber<>(type, number));
        module.addDeserializer(type, new FromText<>(type, parse));
    }

    private static final class AsNumber<T> extends StdSerializer<T> {

        private final transient ToLongFunction<T> number;

        AsNumber(Class<T> type, ToLongFunction<T> number) {
            super(type);
            this.number = number;
        }

        @Override
        public void serialize(T value, JsonGenerator json, SerializationContext context) {
            json.writeNumber(number.applyAsLong(value));
        }
    }

    private static final class AsText<T> extends StdSerializer<T> {

        AsText(Class<T> type) {
            super(type);
        }

        @Override
        public void serialize(T value, JsonGenerator json, SerializationContext context) {
            json.writeString(value.toString());
        }
    }

    private static final class FromText<T> extends StdDeserializer<T> {

        private final transient Function<String, T> parse;

        FromText(Class<T> type, Function<String, T> parse) {
            super(type);
            this.parse = parse;
        }

        @Override
        public T deserialize(JsonParser json, DeserializationContext context) {
            try {
                return parse.apply(json.getString());
            } catch (IllegalArgumentException notOne) {
                return context.reportInputMismatch(this, "%s", String.valueOf(notOne.getMessage()));
            }
        }
    }
}
