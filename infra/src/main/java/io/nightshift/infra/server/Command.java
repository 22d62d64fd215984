package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A program, run to its end; its output and errors come back as one text. */
final class Command {

    private static final int OUTPUT_LIMIT = 64 * 1024;
    private static final Duration NO_LIMIT = Duration.ofDays(365);

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
        try {
            Process process = builder(words).start();
            process.getOutputStream().close();
            return await(process, words.get(0), limit);
        } catch (IOException e) {
            throw notRun(words, e);
        }
    }

    /**
     * Runs a program in the same way for as long as it takes; the cancellation kills it.
     *
     * @param environment more variables
     * @param input what it reads; little enough for a pipe
     * @param output where its output and errors go; only those of {@link Redirect#PIPE} come back
     */
    @SuppressWarnings("try") // the registration is for closing only
    static Outcome run(
            List<String> words,
            Map<String, String> environment,
            String input,
            Redirect output,
            Cancellation cancellation) {
        ProcessBuilder builder = builder(words).redirectOutput(output);
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            try (Cancellation.Registration kill = cancellation.onCancel(process::destroyForcibly)) {
                give(process, input);
                Outcome outcome = await(process, words.get(0), NO_LIMIT);
                cancellation.check();
                return outcome;
            }
        } catch (IOException e) {
            throw notRun(words, e);
        }
    }

    private static void give(Process process, String input) {
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException endedEarly) {
            // its exit status and its last words say why
        }
    }

    private static ProcessBuilder builder(List<String> words) {
        ProcessBuilder builder =
                new ProcessBuilder(words).directory(new File("/")).redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.startsWith("PG"));
        environment.put("LC_ALL", "C");
        environment.put("TZ", "UTC");
        return builder;
    }

    private static NightshiftException notRun(List<String> words, IOException cause) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                "could not run " + words.get(0) + ": " + cause.getMessage(),
                "check that the program is installed and may be executed",
                cause);
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
