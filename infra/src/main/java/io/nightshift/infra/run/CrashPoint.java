package io.nightshift.infra.run;

/**
 * Named places where the tests let a process die as {@code kill -9} would: without closing, flushing or unlocking
 * anything. Silent unless the environment names the place.
 */
public final class CrashPoint {

    static final String VARIABLE = "NIGHTSHIFT_CRASH_AT";
    /** The exit status of a process that died of SIGKILL, as a shell shows it. */
    public static final int EXIT_STATUS = 137;

    private CrashPoint() {}

    public static void reach(String name) {
        if (name.equals(System.getenv(VARIABLE))) {
            Runtime.getRuntime().halt(EXIT_STATUS);
        }
    }
}
