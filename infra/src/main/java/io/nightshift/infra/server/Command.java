package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A short-lived program, run to its end; its output and errors come back as one text. */
final class Command {

    private static final int OUTPUT_LIMIT = 64 * 1024;

    /** How a program ended. */
    record Outcome(int exitStatus, String output) {

        boolean succeeded() {
            return exitStatus == 0;
        }

        /** The last line that says something, for one-line messages. */
        String lastLine() {
            List<String> lines = output.lines().filter(line -> !line.isBlank()).toList();
            return lines.isEmpty() ? "no output" : lines.get(lines.size() - 1).strip();
        }
    }

    private Command() {}

    /**
     * Runs a program from the root directory, which every user may enter, in English, in UTC, and without the
     * {@code PG…} variables, because those would change what PostgreSQL's programs do.
     */
    static Outcome run(List<String> words, Duration limit) {
        ProcessBuilder builder =
                new ProcessBuilder(words).directory(new File("/")).redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.startsWith("PG"));
        environment.put("LC_ALL", "C");
        environment.put("TZ", "UTC");
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            return await(process, words.get(0), limit);
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "could not run " + words.get(0) + ": " + e.getMessage(),
                    "check that the program is installed and may be executed",
                    e);
        }
    }

    private static Outcome await(Process process, String program, Duration limit) {
        CompletableFuture<String> output = CompletableFuture.supplyAsync(() -> read(process.getInputStream()));
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new NightshiftException(
                        FailureKind.RESOURCES_EXHAUSTED, program + " did not end within " + limit.toSeconds() + " s");
            }
            return new Outcome(process.exitValue(), output.join());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NightshiftException(FailureKind.CANCELLED, "interrupted while waiting for " + program, null, e);
        } finally {
            process.destroyForcibly();
        }
    }

    private static String read(InputStream stream) {
        try (stream) {
            byte[] kept = stream.readNBytes(OUTPUT_LIMIT);
            stream.transferTo(OutputStream.nullOutputStream());
            return new String(kept, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
