package io.nightshift.scheduler;

/** Opens a node to tests of other packages. */
public final class NightshiftParts {

    private NightshiftParts() {}

    public static <T> T of(Nightshift nightshift, Class<T> part) {
        return nightshift.part(part);
    }
}
