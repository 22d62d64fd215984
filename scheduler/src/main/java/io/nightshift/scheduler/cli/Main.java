package io.nightshift.scheduler.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.TimeZone;

/** The program's entry. */
public final class Main {

    private Main() {}

    public static void main(String[] arguments) {
        // Spring Batch stores local times: any other zone would give negative durations on some nights.
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int status = CommandLineOfNightshift.run(arguments, out, err, System.getenv());
        out.flush();
        err.flush();
        System.exit(status);
    }
}
