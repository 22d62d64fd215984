package io.nightshift.infra.server;

/** How thorough the tests are: {@code -Deffort=1} is quick, 20 is everything. */
public final class Effort {

    private Effort() {}

    public static int number() {
        return Integer.getInteger("effort", 1);
    }

    /** A number of rounds, rows or bytes for the present effort, on the line through the two. */
    public static int of(int atOne, int atTwenty) {
        return Math.toIntExact(atOne + Math.round((double) (atTwenty - atOne) * (number() - 1) / 19));
    }
}
