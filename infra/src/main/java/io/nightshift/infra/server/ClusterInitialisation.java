package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Makes a new cluster beside its place and moves it there in one rename, so that a data directory is complete or not
 * there. The password is written before: one without a data directory is harmless and replaced by the next attempt, a
 * data directory without its password would be lost. The caller holds the claim on the data directory.
 */
record ClusterInitialisation(Path dataDirectory, PostgresBinaries binaries, List<String> options) {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final int KNOWS_SCRAM_ITERATIONS = 16;
    private static final List<String> LOCALES = List.of("C.UTF-8", "C");
    private static final String ACCESS = """
            # Written by Nightshift: this machine only, by password only.
            # TYPE  DATABASE     USER  ADDRESS       METHOD
            host    all          all   127.0.0.1/32  scram-sha-256
            host    replication  all   127.0.0.1/32  scram-sha-256
            """;

    /** Creates the directories above; a lock file can lie there afterwards. */
    void prepareParent() {
        ServerUser user = ServerUser.of(dataDirectory);
        Path parent = dataDirectory.resolveSibling("");
        user.createPassableDirectories(parent);
        user.barrier(parent).ifPresent(barrier -> {
            throw DataDirectory.unreachable(dataDirectory, barrier, user);
        });
    }

    void run() {
        DataDirectory.requireEmpty(dataDirectory);
        ServerUser user = ServerUser.of(dataDirectory);
        try {
            deleteDebris();
            Path workshop = Files.createTempDirectory(dataDirectory.resolveSibling(""), debrisPrefix());
            try {
                String password = PasswordFile.random();
                Path cluster = initdb(workshop, user, password);
                Files.writeString(cluster.resolve("pg_hba.conf"), ACCESS);
                FileTree.syncFile(cluster.resolve("pg_hba.conf"));
                new PasswordFile(PostgresServer.beside(dataDirectory, ".password")).write(password);
                CrashPoint.reach("server.initialise.before-rename");
                Files.move(cluster, dataDirectory, StandardCopyOption.ATOMIC_MOVE);
                FileTree.syncDirectory(dataDirectory.resolveSibling(""));
            } finally {
                FileTree.delete(workshop);
            }
        } catch (IOException e) {
            throw DataDirectory.unusable(dataDirectory, e);
        }
    }

    private Path initdb(Path workshop, ServerUser user, String password) throws IOException {
        Path cluster = workshop.resolve("data");
        Path passwordFile = Files.writeString(workshop.resolve("password"), password);
        user.own(workshop);
        Command.Outcome outcome = new Command.Outcome(1, "");
        for (String locale : LOCALES) {
            outcome = Command.run(user.command(initdbCommand(cluster, passwordFile, locale)), LIMIT);
            if (!outcome.output().contains("invalid locale name")) {
                break;
            }
        }
        if (!outcome.succeeded()) {
            throw failed(outcome.output());
        }
        return cluster;
    }

    private List<String> initdbCommand(Path cluster, Path passwordFile, String locale) {
        List<String> command = new ArrayList<>(List.of(
                binaries.program("initdb"),
                "--pgdata=" + cluster,
                "--username=" + PostgresServer.USERNAME,
                "--pwfile=" + passwordFile,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=" + locale,
                "--data-checksums"));
        if (binaries.version().major() >= KNOWS_SCRAM_ITERATIONS) {
            // They slow down guessing. Nobody guesses 192 random bits, and each of our sessions would pay for them.
            command.addAll(List.of("-c", "scram_iterations=1"));
        }
        command.addAll(options);
        return command;
    }

    private NightshiftException failed(String output) {
        Optional<String> error = output.lines()
                .filter(line -> line.contains("error:") || line.contains("FATAL:"))
                .findFirst();
        return new NightshiftException(
                output.contains("No space left") ? FailureKind.RESOURCES_EXHAUSTED : FailureKind.CONFIGURATION,
                "could not initialise a cluster in " + dataDirectory + ": " + error.orElse(output.strip()),
                "correct what the message names; nothing was left behind");
    }

    /** We hold the claim, so what other attempts left here belongs to processes that died. */
    private void deleteDebris() throws IOException {
        try (Stream<Path> siblings = Files.list(dataDirectory.resolveSibling(""))) {
            for (Path debris : siblings.filter(
                            path -> path.getFileName().toString().startsWith(debrisPrefix()))
                    .toList()) {
                FileTree.delete(debris);
            }
        }
    }

    private String debrisPrefix() {
        return "." + dataDirectory.getFileName() + ".initdb-";
    }
}
