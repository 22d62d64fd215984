package io.nightshift.infra.postgres;

/**
 * A timeline of a cluster: 1 after initdb, one more after each promotion.
 *
 * @param id unsigned 32-bit number, never 0
 */
public record Timeline(int id) implements Comparable<Timeline> {

    public Timeline {
        if (id == 0) {
            throw new IllegalArgumentException("timeline 0 does not exist: timelines begin with 1");
        }
    }

    public static Timeline parse(String decimal) {
        return new Timeline(Integer.parseUnsignedInt(decimal));
    }

    @Override
    public int compareTo(Timeline other) {
        return Integer.compareUnsigned(id, other.id);
    }

    @Override
    public String toString() {
        return Integer.toUnsignedString(id);
    }
}
