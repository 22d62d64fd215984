package io.nightshift.infra.config;

import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The types that are written as one word: text, numbers, durations, zones, paths, enums, and every class with a static
 * method {@code parse(String)} that throws IllegalArgumentException.
 */
final class Scalars {

    private static final Pattern WHOLE = Pattern.compile("-?[0-9]{1,19}");
    private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,19}(\\.[0-9]{1,19})?([eE][-+]?[0-9]{1,3})?");

    private record Type(String words, Function<String, Object> parse) {}

    private static final Map<Class<?>, Type> TYPES = Map.of(
            String.class, new Type("text", text -> text),
            Integer.class, new Type("whole number", Scalars::wholeInt),
            Long.class, new Type("whole number", Scalars::wholeLong),
            Double.class, new Type("number", Scalars::decimal),
            Boolean.class, new Type("true or false", Scalars::truth),
            Duration.class, new Type("duration", Durations::parse),
            LocalDate.class, new Type("date", Scalars::date),
            LocalTime.class, new Type("time of day", Scalars::time),
            ZoneId.class, new Type("time zone", Scalars::zone),
            Path.class, new Type("path", Scalars::path));

    private Scalars() {}

    static boolean isScalar(Class<?> type) {
        return type.isEnum()
                || TYPES.containsKey(boxed(type))
                || parseMethod(type).isPresent();
    }

    /** The type for people, such as {@code duration} or {@code disable | prefer}. */
    static String words(Class<?> type) {
        if (type.isEnum()) {
            return String.join(" | ", words(type.getEnumConstants()));
        }
        Type known = TYPES.get(boxed(type));
        return known != null
                ? known.words()
                : Names.kebab(type.getSimpleName()).replace('-', ' ').replace("data size", "size");
    }

    /** @throws IllegalArgumentException with the whole fact as its message */
    static Object parse(Class<?> type, String text) {
        if (type.isEnum()) {
            return constant(type, text);
        }
        Type known = TYPES.get(boxed(type));
        return known != null
                ? known.parse().apply(text)
                : call(parseMethod(type).orElseThrow(), text);
    }

    /** What a map for JSON holds: a number, a truth, or the text that {@link #parse} reads back. */
    static Object print(Object value) {
        if (value instanceof Number || value instanceof Boolean || value instanceof String) {
            return value;
        }
        if (value instanceof Duration duration) {
            return Durations.print(duration);
        }
        return value instanceof Enum<?> constant ? Names.kebab(constant.name()) : value.toString();
    }

    static Class<?> boxed(Class<?> type) {
        if (!type.isPrimitive()) {
            return type;
        }
        return MethodType.methodType(type).wrap().returnType();
    }

    private static IllegalArgumentException refused(String text, String accepted) {
        return new IllegalArgumentException("\"" + text + "\" is not accepted; accepted: " + accepted);
    }

    private static Object wholeInt(String text) {
        long number = wholeLong(text);
        if (number != (int) number) {
            throw refused(text, "a whole number up to " + Integer.MAX_VALUE);
        }
        return (int) number;
    }

    private static long wholeLong(String text) {
        try {
            if (WHOLE.matcher(text).matches()) {
                return Long.parseLong(text);
            }
        } catch (NumberFormatException tooLarge) {
            throw refused(text, "a whole number up to " + Long.MAX_VALUE);
        }
        throw refused(text, "a whole number");
    }

    private static Object decimal(String text) {
        if (DECIMAL.matcher(text).matches()) {
            double number = Double.parseDouble(text);
            if (Double.isFinite(number)) {
                return number;
            }
        }
        throw refused(text, "a number such as 0.25");
    }

    private static Object truth(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw refused(text, "true, false" + meantTruth(text.toLowerCase(Locale.ROOT)));
        };
    }

    private static String meantTruth(String word) {
        return switch (word) {
            case "yes", "on", "1", "y" -> "; did you mean true?";
            case "no", "off", "0", "n" -> "; did you mean false?";
            default -> Nearest.question(word, List.of("true", "false"));
        };
    }

    private static Object zone(String text) {
        try {
            return ZoneId.of(text);
        } catch (DateTimeException unknown) {
            throw refused(
                    text,
                    "a time zone such as UTC or Africa/Nairobi" + Nearest.question(text, ZoneId.getAvailableZoneIds()));
        }
    }

    private static Object date(String text) {
        try {
            return LocalDate.parse(text);
        } catch (DateTimeException noDate) {
            throw refused(text, "a date such as 2026-12-24");
        }
    }

    private static Object time(String text) {
        try {
            return LocalTime.parse(text);
        } catch (DateTimeException noTime) {
            throw refused(text, "a time of day such as 06:00");
        }
    }

    private static Object path(String text) {
        if (text.isBlank() || text.indexOf('\0') >= 0) {
            throw refused(text, "a path");
        }
        return Path.of(text);
    }

    private static Object constant(Class<?> type, String text) {
        Object[] constants = type.getEnumConstants();
        List<String> words = words(constants);
        int index = words.indexOf(text);
        if (index < 0) {
            throw refused(text, String.join(", ", words) + Nearest.question(text, words));
        }
        return constants[index];
    }

    private static List<String> words(Object @Nullable [] constants) {
        return Arrays.stream(constants == null ? new Object[0] : constants)
                .map(constant -> Names.kebab(((Enum<?>) constant).name()))
                .toList();
    }

    private static Optional<Method> parseMethod(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> method.getName().equals("parse")
                        && Modifier.isStatic(method.getModifiers())
                        && method.getReturnType() == type
                        && Arrays.equals(method.getParameterTypes(), new Class<?>[] {String.class}))
                .findFirst();
    }

    private static Object call(Method parse, String text) {
        try {
            parse.setAccessible(true);
            return parse.invoke(null, text);
        } catch (InvocationTargetException refusal) {
            if (refusal.getCause() instanceof IllegalArgumentException known) {
                throw known;
            }
            throw new IllegalStateException(parse + " failed", refusal);
        } catch (IllegalAccessException inaccessible) {
            throw new IllegalStateException(parse + " cannot be called", inaccessible);
        }
    }
}
