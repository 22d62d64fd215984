package io.nightshift.infra.config;

import java.lang.reflect.Array;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The types that components have, and their names for people. */
final class Types {

    private Types() {}

    static Class<?> raw(Type type) {
        if (type instanceof ParameterizedType parameterized) {
            return (Class<?>) parameterized.getRawType();
        }
        if (type instanceof Class<?> plain) {
            return plain;
        }
        throw new IllegalStateException("a settings component cannot have the type " + type);
    }

    static Type argument(Type type, int index) {
        if (type instanceof ParameterizedType parameterized) {
            return parameterized.getActualTypeArguments()[index];
        }
        throw new IllegalStateException("a settings component of type " + type + " must say of what");
    }

    /** The emptiest value of a type, to judge a record by while the real one is refused; null where there is none. */
    static @Nullable Object nothingOf(Type type) {
        Class<?> raw = raw(type);
        if (raw.isPrimitive()) {
            return Array.get(Array.newInstance(raw, 1), 0);
        }
        if (raw == String.class) {
            return "";
        }
        return raw == List.class ? List.of() : raw == Map.class ? Map.of() : null;
    }

    /** The type in words, such as {@code duration}, {@code list of text}, {@code map of name to size}. */
    static String words(Type type) {
        Class<?> raw = raw(type);
        if (raw == Secret.class) {
            return "secret";
        }
        if (Scalars.isScalar(raw)) {
            return Scalars.words(raw);
        }
        if (raw == List.class) {
            return "list of " + words(argument(type, 0));
        }
        if (raw == Map.class) {
            return "map of name to " + words(argument(type, 1));
        }
        if (raw == Record.class) {
            return "map";
        }
        if (raw.isSealed()) {
            return Choices.of(raw).words();
        }
        return "map with "
                + String.join(", ", RecordShape.of(raw.asSubclass(Record.class)).keys());
    }
}
