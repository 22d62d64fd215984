package io.nightshift.infra.config;

import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a number is held against: {@code >10}, {@code <=0.5}, {@code =0}. */
public record Bound(Comparison comparison, BigDecimal number) {

    private static final Pattern TEXT = Pattern.compile("(>=|<=|!=|>|<|=) ?(-?[0-9]{1,30}(?:\\.[0-9]{1,30})?)");

    /** How. */
    public enum Comparison {
        ABOVE(">"),
        AT_LEAST(">="),
        BELOW("<"),
        AT_MOST("<="),
        EQUAL("="),
        UNEQUAL("!=");

        private final String sign;

        Comparison(String sign) {
            this.sign = sign;
        }
    }

    static final Bound ANY = new Bound(Comparison.ABOVE, BigDecimal.ZERO);

    /**
     * Reads it as it is printed.
     *
     * @throws IllegalArgumentException with the whole fact as its message
     */
    public static Bound parse(String text) {
        Matcher parts = TEXT.matcher(text.strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException("\"" + text
                    + "\" is not accepted; accepted: a bound such as \">10\", \">=0.5\", \"<1\" or \"!=0\"");
        }
        for (Comparison comparison : Comparison.values()) {
            if (comparison.sign.equals(parts.group(1))) {
                return new Bound(comparison, new BigDecimal(parts.group(2)));
            }
        }
        throw new IllegalStateException(text);
    }

    /** Whether the value is such a number. */
    public boolean holds(BigDecimal value) {
        return holds(value.compareTo(number));
    }

    /** Whether part divided by whole is, without rounding; the whole is above 0. */
    public boolean holdsOfShare(BigDecimal part, BigDecimal whole) {
        return holds(part.compareTo(number.multiply(whole)));
    }

    private boolean holds(int order) {
        return switch (comparison) {
            case ABOVE -> order > 0;
            case AT_LEAST -> order >= 0;
            case BELOW -> order < 0;
            case AT_MOST -> order <= 0;
            case EQUAL -> order == 0;
            case UNEQUAL -> order != 0;
        };
    }

    @Override
    public String toString() {
        return comparison.sign + number.toPlainString();
    }
}
