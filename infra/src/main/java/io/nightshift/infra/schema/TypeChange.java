package io.nightshift.infra.schema;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the values of a column that gets another type, by the casts of {@code pg_cast} that are the same in 15 to 18.
 * What can be assigned is cast as an INSERT casts it, which refuses what is too long or too large; an explicit cast cuts it.
 *
 * @param isAssigned whether PostgreSQL casts it without being asked to
 * @param remark a comment without its dashes, {@code loses …} if something of a value may be gone
 * @param through the type over which it must be cast explicitly
 */
record TypeChange(
        boolean isAssigned,
        Optional<String> remark,
        @Nullable String through) {

    private static final String TEXT = "text";
    private static final String VARYING = "character varying";
    private static final String PADDED = "character";
    private static final String NUMERIC = "numeric";
    private static final String REAL = "real";
    private static final String DOUBLE = "double precision";
    private static final String DATE = "date";
    private static final String INTERVAL = "interval";
    private static final List<String> INTEGERS = List.of("smallint", "integer", "bigint");
    private static final Set<String> TIMES = Set.of("time without time zone", "time with time zone");
    private static final Set<String> TIMESTAMPS = Set.of("timestamp without time zone", "timestamp with time zone");
    private static final Set<String> BITS = Set.of("bit", "bit varying");
    private static final Set<String> HARMLESS =
            Set.of("jsonb json", "cidr inet", "macaddr macaddr8", "macaddr8 macaddr");
    private static final Pattern MODIFIER = Pattern.compile("\\((\\d+)(?:,(-?\\d+))?\\)");
    private static final int FINEST = 6;

    private static final TypeChange KEEPS = new TypeChange(true, Optional.empty(), null);

    private record Type(String name, @Nullable Integer length, int scale, boolean isArray) {

        static Type of(String text) {
            boolean isArray = text.endsWith("[]");
            String element = isArray ? text.substring(0, text.length() - 2) : text;
            Matcher modifier = MODIFIER.matcher(element);
            if (element.startsWith("\"") || element.contains(".") || !modifier.find()) {
                return new Type(element, null, 0, isArray);
            }
            String scale = modifier.group(2);
            return new Type(
                    modifier.replaceFirst(""),
                    Integer.valueOf(modifier.group(1)),
                    scale == null ? 0 : Integer.parseInt(scale),
                    isArray);
        }

        boolean isText() {
            return name.equals(TEXT) || name.equals(VARYING) || name.equals(PADDED);
        }

        boolean isOfTime() {
            return name.equals(DATE) || TIMES.contains(name) || TIMESTAMPS.contains(name);
        }

        boolean fits(Type other) {
            return length == null || (other.length != null && other.length <= length);
        }

        /** Digits of a fraction of a second. */
        int precision() {
            return name.equals(DATE) ? 0 : length == null ? FINEST : length;
        }
    }

    private static TypeChange loses(String what) {
        return new TypeChange(true, Optional.of("loses " + what), null);
    }

    private static TypeChange explicit(String remark, @Nullable String through) {
        return new TypeChange(false, Optional.of(remark), through);
    }

    /** What a cast does that somebody has made is not known. */
    static TypeChange by(SchemaObject cast) {
        return new TypeChange(
                cast.definition().endsWith(" AS ASSIGNMENT")
                        || cast.definition().endsWith(" AS IMPLICIT"),
                Optional.of("loses what the cast " + cast.name() + " loses"),
                null);
    }

    static String withoutModifier(String type) {
        return Type.of(type.endsWith("[]") ? type.substring(0, type.length() - 2) : type)
                .name();
    }

    /**
     * @param from the type that the values have, of a domain the one under it
     * @param isLabel whether these values are labels of an enum
     * @param areLabels whether the others are
     */
    static TypeChange of(String from, boolean isLabel, String to, boolean areLabels) {
        if (from.equals(to)) {
            return KEEPS;
        }
        Type was = Type.of(from);
        Type is = Type.of(to);
        if (was.isArray() == is.isArray()) {
            return ofValues(was, isLabel, is, areLabels);
        }
        return is.isText() && !is.isArray() ? toText(was, is) : unknown(from, to);
    }

    private static TypeChange ofValues(Type from, boolean isLabel, Type to, boolean areLabels) {
        if (to.isText()) {
            return toText(from, to);
        }
        if (areLabels && (isLabel || from.isText())) {
            return explicit("stops at a value that is no label of " + to.name(), isLabel ? TEXT : null);
        }
        if (from.isText()) {
            return explicit("loses how the values were written, and stops at one that is no " + to.name(), null);
        }
        if (isNumber(from.name()) && isNumber(to.name())) {
            return toNumber(from, to);
        }
        if (from.isOfTime() && to.isOfTime()) {
            return toTime(from, to);
        }
        if (HARMLESS.contains(from.name() + " " + to.name())) {
            return KEEPS;
        }
        if (BITS.contains(from.name()) && BITS.contains(to.name())) {
            return KEEPS;
        }
        return switch (from.name() + " " + to.name()) {
            case "json jsonb" -> loses("white space, the order of keys, and all but the last of keys that repeat");
            case "inet cidr" -> loses("the bits of hosts");
            case "interval interval" -> to.length() == null || to.fits(from) ? KEEPS : loses("fractions of seconds");
            case "interval time without time zone" -> loses("days");
            case "time without time zone interval" -> to.length() == null ? KEEPS : loses("fractions of seconds");
            default ->
                from.name().startsWith(INTERVAL) && to.name().startsWith(INTERVAL)
                        ? to.name().equals(INTERVAL) && to.length() == null ? KEEPS : loses("parts of intervals")
                        : unknown(from.name(), to.name());
        };
    }

    private static TypeChange unknown(String from, String to) {
        return explicit("loses what the cast from " + from + " to " + to + " loses", null);
    }

    private static TypeChange toText(Type from, Type to) {
        if (from.name().equals(PADDED) && !(to.name().equals(PADDED) && to.fits(from))) {
            return loses("spaces at the end");
        }
        if (isNumber(from.name())
                || from.isOfTime()
                || to.length() == null
                || (to.name().equals(from.name()) && to.fits(from))) {
            return KEEPS;
        }
        return loses(
                to.name().equals(PADDED)
                        ? "spaces at the end"
                        : "spaces at the end of values of more than " + to.length() + " characters");
    }

    private static boolean isNumber(String type) {
        return INTEGERS.contains(type) || type.equals(NUMERIC) || type.equals(REAL) || type.equals(DOUBLE);
    }

    private static TypeChange toNumber(Type from, Type to) {
        boolean isInteger = INTEGERS.contains(from.name());
        if (INTEGERS.contains(to.name())) {
            return isInteger ? KEEPS : loses("decimals");
        }
        if (to.name().equals(NUMERIC)) {
            if (!isInteger && !from.name().equals(NUMERIC)) {
                return loses("digits");
            }
            boolean known = isInteger || from.length() != null;
            return to.length() == null || (known && from.scale() <= to.scale())
                    ? KEEPS
                    : loses("decimals beyond " + to.scale());
        }
        boolean exact = from.name().equals("smallint")
                || (to.name().equals(DOUBLE) && Set.of("integer", REAL).contains(from.name()));
        return exact ? KEEPS : loses("digits");
    }

    private static TypeChange toTime(Type from, Type to) {
        boolean hadDate = !TIMES.contains(from.name());
        boolean hasDate = !TIMES.contains(to.name());
        if ((!hadDate && hasDate) || (from.name().equals(DATE) && !hasDate)) {
            return unknown(from.name(), to.name());
        }
        if (hadDate && !hasDate) {
            return loses("dates");
        }
        if (to.name().equals(DATE) && !from.name().equals(DATE)) {
            return loses("times of day");
        }
        if (from.name().endsWith(" with time zone") != to.name().endsWith(" with time zone")) {
            return loses("which moment is meant, unless the time zone of this session is that of the values");
        }
        return from.precision() <= to.precision()
                ? KEEPS
                : loses("fractions of seconds beyond " + to.precision() + " digits");
    }
}
