package io.nightshift.infra.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * Another Java process with the class path of this one, for what only a process can show: a crash point reached
 * ({@code NIGHTSHIFT_CRASH_AT}), {@code kill -9}, Ctrl-C, locks between processes. It is killed when closed.
 */
public final class ChildJvm implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    private final Process process;
    private final List<String> output = new CopyOnWriteArrayList<>();
    private final Thread reader;

    private ChildJvm(Process process) {
        this.process = process;
        this.reader = new Thread(this::read, "output of process " + process.pid());
        reader.setDaemon(true);
        reader.start();
    }

    public static ChildJvm start(Class<?> main, String... arguments) {
        return start(main, Map.of(), arguments);
    }

    public static ChildJvm start(Class<?> main, Map<String, String> environment, String... arguments) {
        return start(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"), main, environment, arguments);
    }

    /** Bound by the permissions of files, which root is not: as root it starts without CAP_DAC_OVERRIDE. */
    public static ChildJvm startBoundByPermissions(Class<?> main, String... arguments) {
        boolean root = Command.run(List.of("id", "-u"), LIMIT).lastLine().equals("0");
        List<String> prefix =
                root ? List.of("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") : List.of();
        return start(
                prefix, List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"), main, Map.of(), arguments);
    }

    /** With its own options, such as {@code -Xmx300m}. */
    public static ChildJvm start(
            List<String> options, Class<?> main, Map<String, String> environment, String... arguments) {
        return start(List.of(), options, main, environment, arguments);
    }

    private static ChildJvm start(
            List<String> prefix,
            List<String> options,
            Class<?> main,
            Map<String, String> environment,
            String... arguments) {
        List<String> command = new ArrayList<>(prefix);
        // As a terminal gives it: Ctrl-C not ignored, although a build in the background is started so, and a session
        // of
        // its own, so that it can be sent to the whole process group.
        if (Command.run(List.of("env", "--default-signal=INT", "true"), LIMIT).succeeded()) {
            command.addAll(List.of("env", "--default-signal=INT"));
        }
        OnPath.find("setsid").ifPresent(setsid -> command.add(setsid.toString()));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of(
                "-Duser.timezone=UTC",
                "-Dbuild.directory=" + BuildDirectory.root(),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        try {
            return new ChildJvm(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What it has written so far, standard output and error together. */
    public List<String> output() {
        return List.copyOf(output);
    }

    /** Waits until it has written a line that begins so, and gives the line. */
    public String awaitLine(String beginning) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        synchronized (output) {
            while (true) {
                boolean ended = !reader.isAlive();
                for (String line : output) {
                    if (line.startsWith(beginning)) {
                        return line;
                    }
                }
                if (ended || System.nanoTime() - deadline > 0) {
                    throw new AssertionError("no line \"" + beginning + "…\" from " + this);
                }
                awaitMore();
            }
        }
    }

    private void awaitMore() {
        try {
            output.wait(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for " + this, e);
        }
    }

    /** Sends it a line on its standard input. */
    public void send(String line) {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for its end; 137 after SIGKILL or a crash point. */
    public int exitStatus() {
        try {
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("did not end within " + LIMIT.toSeconds() + " s: " + this);
            }
            reader.join(LIMIT.toMillis());
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + this, e);
        }
    }

    public long pid() {
        return process.pid();
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() {
        process.destroyForcibly();
        exitStatus();
    }

    /** SIGSTOP: it does nothing any more, but is there. */
    public void freeze() {
        signal("STOP");
    }

    public void thaw() {
        signal("CONT");
    }

    private void signal(String name) {
        Command.run(List.of("kill", "-" + name, Long.toString(pid())), LIMIT);
    }

    /** Ctrl-C: SIGINT to the process and everything in its process group. */
    public void interruptGroup() {
        Command.Outcome outcome = Command.run(List.of("kill", "-INT", "--", "-" + pid()), LIMIT);
        if (!outcome.succeeded()) {
            throw new IllegalStateException("could not interrupt process group " + pid() + ": " + outcome.output());
        }
    }

    @Override
    public void close() {
        kill();
    }

    private void read() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                add(line);
            }
        } catch (IOException e) {
            add("(output cut: " + e.getMessage() + ")");
        }
    }

    private void add(String line) {
        synchronized (output) {
            output.add(line);
            output.notifyAll();
        }
    }

    @Override
    public String toString() {
        return "child process " + process.pid() + ":\n" + String.join("\n", output);
    }
}
