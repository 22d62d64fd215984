package io.nightshift.infra.server;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * PostgreSQL's {@code pg_dump}, of any version that dumps a server: its own or a newer one.
 *
 * @param major its own version
 */
public record PgDump(Path program, int major) {

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int NEWER_TO_COME = 3;
    private static final Pattern VERSION = Pattern.compile("pg_dump \\(PostgreSQL\\) (\\d+)");

    /** The oldest on this machine, in the usual places or on PATH, that dumps servers of this major version. */
    public static Optional<PgDump> find(int server) {
        Stream<Path> usual = IntStream.rangeClosed(server, PostgresVersion.NEWEST_SUPPORTED_MAJOR + NEWER_TO_COME)
                .boxed()
                .flatMap(version -> PostgresBinaries.usualPlaces(version).stream())
                .map(bin -> bin.resolve("pg_dump"))
                .filter(Files::isExecutable);
        return Stream.concat(usual, OnPath.find("pg_dump").stream())
                .flatMap(program -> of(program).stream())
                .filter(found -> found.major() >= server)
                .min(Comparator.comparingInt(PgDump::major));
    }

    private static Optional<PgDump> of(Path program) {
        Command.Outcome outcome = Command.run(List.of(program.toString(), "--version"), LIMIT);
        Matcher matcher = VERSION.matcher(outcome.output());
        return outcome.succeeded() && matcher.find()
                ? Optional.of(new PgDump(program, Integer.parseInt(matcher.group(1))))
                : Optional.empty();
    }

    /**
     * Dumps a database in pg_dump's custom format, durably.
     *
     * @param encoding of names and of the dump
     * @param tables quoted, with their schemas; all if there is none
     * @param options for the session, as the server's command line takes them
     * @param file that does not exist yet
     */
    public void dump(
            PostgresServer server,
            String database,
            String encoding,
            List<String> tables,
            String options,
            Path file,
            Cancellation cancellation) {
        Path passwords = file.resolveSibling(file.getFileName() + ".pgpass");
        try {
            new PasswordFile(passwords).write("127.0.0.1:*:*:" + server.username() + ":" + server.password());
            List<String> words = new ArrayList<>(List.of(
                    program.toString(),
                    "--format=custom",
                    "--no-password",
                    "--file=" + file,
                    "--dbname=host=127.0.0.1 port=" + server.port() + " user=" + server.username() + " dbname="
                            + value(database) + " sslmode=disable options=" + value(options)));
            tables.forEach(table -> words.add("--table=" + table));
            Command.Outcome outcome = Command.run(
                    List.of("sh"), // by its input, for which there is no limit of length
                    Map.of("PGPASSFILE", passwords.toString(), "PGCLIENTENCODING", encoding),
                    "exec" + script(words) + "\n",
                    Redirect.PIPE,
                    cancellation);
            if (!outcome.succeeded()) {
                throw failure(database, outcome);
            }
            Files.deleteIfExists(passwords);
        } catch (IOException e) {
            throw DataDirectory.unusable(passwords, e);
        }
    }

    private NightshiftException failure(String database, Command.Outcome outcome) {
        boolean full = outcome.output().contains("No space left on device")
                || outcome.output().contains("Disk quota exceeded");
        return new NightshiftException(
                full ? FailureKind.RESOURCES_EXHAUSTED : FailureKind.POSTGRES_UNAVAILABLE,
                program + " of database " + database + " ended with " + outcome.exitStatus() + ": "
                        + outcome.output()
                                .lines()
                                .limit(5)
                                .reduce("", (all, line) -> all + "\n" + line)
                                .strip(),
                full ? "free space there, or choose another directory" : null);
    }

    /** A value of a connection string (manual, libpq, "Connection Strings"). */
    private static String value(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    /**
     * The words for a shell, in ASCII: a JVM in the locale C, as cron starts it, hands on question marks for everything
     * else. None of ours ends with a line break, which the substitution would lose.
     */
    private static String script(List<String> words) {
        StringBuilder script = new StringBuilder();
        for (String word : words) {
            script.append(" \"$(printf %b '");
            for (byte one : word.getBytes(StandardCharsets.UTF_8)) {
                script.append(
                        Character.isLetterOrDigit(one) && one > 0
                                ? Character.toString(one)
                                : String.format("\\0%03o", one & 0xff));
            }
            script.append("')\"");
        }
        return script.toString();
    }
}
