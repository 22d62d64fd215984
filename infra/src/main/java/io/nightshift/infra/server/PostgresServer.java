package io.nightshift.infra.server;

import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One data directory and the server on it, reachable on a loopback port only, by password. The server is detached: it has
 * its own session, survives the process that started it, and any process finds it again through its data directory.
 *
 * <p>Beside a data directory {@code data} lie {@code data.password}, {@code data.log} and {@code data.lock}. The lock is
 * held while somebody initialises, starts or stops, never longer: the running server itself is what excludes a second
 * one. Thread-safe, and safe among processes.
 */
public final class PostgresServer {

    /** The superuser that {@link #initialise} creates. */
    public static final String USERNAME = "postgres";

    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(60);
    private static final Duration IMMEDIATE_LIMIT = Duration.ofSeconds(10);
    private static final Duration ORPHAN_LIMIT = Duration.ofSeconds(3);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(20);
    private static final Duration PORT_LIMIT = Duration.ofSeconds(1);
    private static final int PORT_ATTEMPTS = 5;
    /** pgjdbc's own code for it. */
    private static final String PASSWORD_WANTED = "08004";

    private static final Pattern LAST_PORT = Pattern.compile("\"port=(\\d+)\"");

    /** {@code pg_ctl} puts paths between double quotes into a command for {@code sh}. */
    private static final Pattern UNQUOTABLE = Pattern.compile("[\"$`\\\\\n]");

    private final Path dataDirectory;
    private final Supplier<PostgresBinaries> binaries;
    private final ServerUser user;
    private final PasswordFile passwordFile;
    private final ServerLog log;

    private PostgresServer(Path dataDirectory, Supplier<PostgresBinaries> binaries) {
        this.dataDirectory = dataDirectory;
        this.binaries = binaries;
        this.user = ServerUser.of(dataDirectory);
        this.passwordFile = new PasswordFile(beside(dataDirectory, ".password"));
        this.log = new ServerLog(beside(dataDirectory, ".log"));
    }

    /**
     * Creates a cluster with data checksums, UTF-8, and the superuser {@value #USERNAME} with a random password.
     *
     * @param dataDirectory must not exist, or be empty
     * @param initdbOptions more options of {@code initdb}, such as {@code --wal-segsize=1}
     */
    public static PostgresServer initialise(Path dataDirectory, PostgresBinaries binaries, String... initdbOptions) {
        Path directory = absolute(dataDirectory);
        ClusterInitialisation initialisation = new ClusterInitialisation(directory, binaries, List.of(initdbOptions));
        initialisation.prepareParent();
        runClaimed(directory, initialisation::run);
        return new PostgresServer(directory, () -> binaries);
    }

    /** The server on an existing data directory, whoever made it; starts nothing. */
    public static PostgresServer open(Path dataDirectory, PostgresBinaries binaries) {
        Path directory = absolute(dataDirectory);
        DataDirectory.requireCluster(directory, binaries.version().major());
        return new PostgresServer(directory, () -> binaries);
    }

    /**
     * The server on a restored data directory, whose passwords nobody knows: recovers it, for as long as that takes, and
     * makes {@value #USERNAME} a superuser with a new random password. Both happen in single-user mode, which nobody can
     * connect to and which asks for no password (manual, {@code postgres --single}); so no rule of pg_hba.conf has to
     * trust anybody, not even for a moment. Only for copies that are thrown away. It does not run afterwards.
     *
     * @throws NightshiftException with the last lines of the server's log when it does not recover
     */
    public static PostgresServer adopt(Path dataDirectory, PostgresBinaries binaries, Cancellation cancellation) {
        PostgresServer server = open(dataDirectory, binaries);
        runClaimed(server.dataDirectory, () -> server.adoptClaimed(cancellation, false));
        return server;
    }

    /**
     * Ends whatever server runs on a directory that is about to be deleted, and removes what one that was killed has left in
     * the kernel. Nothing happens if there is none.
     */
    public static void abandon(Path dataDirectory) {
        Optional<PostmasterFile> postmaster = PostmasterFile.read(dataDirectory);
        postmaster
                .filter(file -> ServerProcesses.isOf(dataDirectory, file.pid()))
                .flatMap(file -> ProcessHandle.of(file.pid()))
                .ifPresent(ProcessHandle::destroy); // a killed one leaves its shared memory
        boolean gone = Condition.within(
                IMMEDIATE_LIMIT, () -> ServerProcesses.of(dataDirectory).isEmpty());
        if (!gone && !ServerProcesses.kill(dataDirectory, IMMEDIATE_LIMIT)) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "processes " + ServerProcesses.of(dataDirectory) + " of the server on " + dataDirectory
                            + " survive SIGKILL",
                    "they hang in the kernel: see the machine's disks and its kernel log");
        }
        postmaster.ifPresent(SharedMemory::remove);
    }

    /** Opens the data directory if it holds a cluster, else creates one there. */
    public static PostgresServer openOrInitialise(Path dataDirectory, PostgresBinaries binaries) {
        Path directory = absolute(dataDirectory);
        ClusterInitialisation initialisation = new ClusterInitialisation(directory, binaries, List.of());
        if (!DataDirectory.isCluster(directory)) {
            initialisation.prepareParent();
            runClaimed(directory, () -> {
                if (!DataDirectory.isCluster(directory)) {
                    initialisation.run();
                }
            });
        }
        return open(directory, binaries);
    }

    /**
     * The same; the binaries are asked for only to make, start or stop it, not where it runs already. A cluster without its
     * password file was restored: it is recovered, and gets a new password.
     */
    static PostgresServer openOrInitialise(Path dataDirectory, Supplier<PostgresBinaries> binaries) {
        PostgresServer server = new PostgresServer(absolute(dataDirectory), binaries);
        if (server.isRunning()) {
            return server;
        }
        PostgresServer present = openOrInitialise(dataDirectory, binaries.get());
        if (!present.passwordFile.exists()) {
            runClaimed(present.dataDirectory, () -> present.adoptClaimed(new Cancellation(), true));
        }
        return present;
    }

    /** Makes whoever opens the server on what is about to be restored there give it a new password. */
    public static void forgetPassword(Path dataDirectory) {
        Path file = beside(absolute(dataDirectory), ".password");
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw DataDirectory.unusable(file, e);
        }
    }

    /** Starts with five minutes' time, enough unless it must recover very much WAL. */
    public void start(Map<String, String> settings) {
        start(settings, START_LIMIT);
    }

    /**
     * Starts the server and waits until it accepts connections; recovers first if it was killed. It keeps its last port
     * if that is still free.
     *
     * @param settings go on the command line, so that nothing in the data directory overrides them; {@code port} may be
     *     among them
     * @throws NightshiftException REFUSED if a server runs on this directory already; otherwise its message ends with the
     *     last lines of the server's log, and nothing is left running
     */
    public void start(Map<String, String> settings, Duration limit) {
        runClaimed(dataDirectory, () -> {
            if (isRunning()) {
                throw new NightshiftException(
                        FailureKind.REFUSED,
                        "a server already runs on " + dataDirectory + ": process "
                                + postmaster().pid() + ", port " + port(),
                        "use that server, or stop it first");
            }
            startClaimed(settings, limit);
        });
    }

    /**
     * Starts the server unless it runs already; one that is still starting, or stopping, is waited for. The settings of a
     * server that runs are left as they are.
     *
     * @throws NightshiftException POSTGRES_UNAVAILABLE when a server runs and does not answer within five minutes
     */
    public void ensureRunning(Map<String, String> settings) {
        runClaimed(dataDirectory, () -> {
            if (!Condition.within(START_LIMIT, () -> !isRunning() || answers())) {
                throw new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE,
                        "process " + postmaster().pid() + " runs on " + dataDirectory + " but does not answer on port "
                                + port() + " since " + START_LIMIT.toSeconds() + " s",
                        "it may recover from a crash, or hang: see " + log.file());
            }
            if (!isRunning()) {
                startClaimed(settings, START_LIMIT);
            }
        });
    }

    /** Stops the server, giving its sessions a minute to be rolled back. */
    public void stop() {
        stop(STOP_LIMIT);
    }

    /**
     * Stops the server: connections are cut and a checkpoint is written; after the limit without one (it recovers at the
     * next start), and at last by SIGKILL. Nothing happens if it does not run.
     */
    public void stop(Duration limit) {
        Uninterrupted.run(() -> runClaimed(dataDirectory, () -> stopClaimed(limit)));
    }

    /** Whether the process in {@code postmaster.pid} lives and really is the server on this data directory. */
    public boolean isRunning() {
        return isRunning(dataDirectory);
    }

    /** The data directories of all servers of this machine that we may look at. */
    public static Set<Path> runningDataDirectories() {
        return ServerProcesses.dataDirectories();
    }

    /** The same for a directory of any server of this machine. */
    public static boolean isRunning(Path dataDirectory) {
        return PostmasterFile.read(dataDirectory)
                .filter(file -> ServerProcesses.isOf(dataDirectory, file.pid()))
                .isPresent();
    }

    /** The port of the running server, else the one it had last and will have again if that is free. */
    public int port() {
        return PostmasterFile.read(dataDirectory)
                .map(PostmasterFile::port)
                .or(this::lastPort)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.REFUSED, "the server on " + dataDirectory + " was never started", "start it"));
    }

    /** The number of the running server's first process. */
    public long process() {
        return postmaster().pid();
    }

    public String username() {
        return USERNAME;
    }

    public String password() {
        return passwordFile.read();
    }

    public Path dataDirectory() {
        return dataDirectory;
    }

    public PostgresBinaries binaries() {
        return binaries.get();
    }

    /** The file with the server's messages. */
    public Path log() {
        return log.file();
    }

    /** The JDBC URL of a database, without name and password. */
    public String url(String database) {
        return "jdbc:postgresql://127.0.0.1:" + port() + "/"
                + URLEncoder.encode(database, StandardCharsets.UTF_8).replace("+", "%20") + "?sslmode=disable";
    }

    /** A new session of the superuser; the caller closes it. */
    public Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(url(database), properties());
    }

    private Properties properties() {
        Properties properties = new Properties();
        properties.setProperty("user", username());
        properties.setProperty("password", password());
        properties.setProperty("ApplicationName", "nightshift");
        properties.setProperty("connectTimeout", "10");
        return properties;
    }

    private PgCtl pgCtl() {
        return new PgCtl(binaries(), user, dataDirectory);
    }

    private void stopClaimed(Duration limit) {
        if (isRunning()) {
            stop("fast", limit);
        }
        if (isRunning()) {
            stop("immediate", limit.compareTo(IMMEDIATE_LIMIT) < 0 ? limit : IMMEDIATE_LIMIT);
        }
        if (isRunning() || !Condition.within(ORPHAN_LIMIT, this::hasNoProcesses)) {
            killAll();
        }
    }

    private void stop(String mode, Duration limit) {
        pgCtl().askToStop(mode);
        Condition.within(limit, () -> !isRunning());
    }

    /** The file is written last: one that is there says that the password is in the cluster. */
    private void adoptClaimed(Cancellation cancellation, boolean durably) {
        takeOver();
        String password = PasswordFile.random();
        long begin = prepareLog();
        List<String> statements = List.of(
                "CREATE ROLE " + USERNAME, // which most clusters have
                "ALTER ROLE " + USERNAME + " LOGIN SUPERUSER CONNECTION LIMIT -1 VALID UNTIL 'infinity' PASSWORD "
                        + Identifiers.literal(password),
                "ALTER ROLE " + USERNAME + " RESET ALL");
        Command.Outcome outcome = Command.run(
                user.command(List.of(
                        binaries().program("postgres"),
                        "--single",
                        "-D",
                        dataDirectory.toString(),
                        "-c",
                        "fsync=" + (durably ? "on" : "off"),
                        "-c",
                        "dynamic_shared_memory_type=mmap", // goes with the directory, if this is killed
                        "-c",
                        "hot_standby=off", // a single user cannot wait for others
                        "-c",
                        "password_encryption=scram-sha-256",
                        "-c",
                        "log_min_error_statement=panic",
                        "template1")),
                Map.of(),
                String.join("\n", statements) + "\n",
                Redirect.appendTo(log.file().toFile()),
                cancellation);
        if (!outcome.succeeded()) {
            throw new StartFailure(log.tail(begin)).of(dataDirectory, log.file());
        }
        CrashPoint.reach("server.adopt.before-password");
        try {
            passwordFile.write(password);
        } catch (IOException e) {
            throw DataDirectory.unusable(passwordFile.file(), e);
        }
    }

    private void takeOver() {
        requireReachable(dataDirectory);
        user.takeOver(dataDirectory);
    }

    /**
     * CONFIGURATION if the user that a server would run as cannot come to this data directory, which need not exist yet.
     */
    public static void requireReachable(Path dataDirectory) {
        Path directory = absolute(dataDirectory);
        ServerUser user = ServerUser.of(directory);
        user.barrier(directory.resolveSibling("")).ifPresent(barrier -> {
            throw DataDirectory.unreachable(directory, barrier, user);
        });
    }

    private void startClaimed(Map<String, String> settings, Duration limit) {
        takeOver();
        clearRemains();
        startOnSomePort(settings, limit);
    }

    private void startOnSomePort(Map<String, String> settings, Duration limit) {
        for (int attempt = 1; ; attempt++) {
            Map<String, String> complete = complete(settings);
            long begin = prepareLog();
            Command.Outcome outcome = pgCtlStart(complete, limit);
            if (outcome.succeeded()) {
                requireAnswer(begin, limit);
                return;
            }
            killAll();
            String messages = log.tail(begin);
            StartFailure failure = new StartFailure(messages.isBlank() ? outcome.output() : messages);
            boolean mayChoose = !settings.containsKey("port") && attempt < PORT_ATTEMPTS;
            if (!(failure.isTakenPort() && mayChoose)) {
                throw failure.of(dataDirectory, log.file());
            }
        }
    }

    private Map<String, String> complete(Map<String, String> settings) {
        Map<String, String> complete = new LinkedHashMap<>();
        complete.put("listen_addresses", "127.0.0.1");
        complete.put("unix_socket_directories", "");
        complete.put("logging_collector", "off");
        complete.put("log_destination", "stderr");
        complete.putAll(settings);
        complete.computeIfAbsent(
                "port",
                name -> Integer.toString(
                        lastPort().filter(PostgresServer::becomesFree).orElseGet(LoopbackPort::free)));
        return complete;
    }

    /** The kernel closes the port of a killed process a moment after it has taken the process itself out of /proc. */
    private static boolean becomesFree(int port) {
        return Condition.within(PORT_LIMIT, () -> LoopbackPort.isFree(port));
    }

    private Command.Outcome pgCtlStart(Map<String, String> settings, Duration limit) {
        try {
            return pgCtl().start(settings, log.file(), limit);
        } catch (NightshiftException e) {
            // Interrupted, or pg_ctl itself hangs: a server that nobody waits for must not come up later.
            killAll();
            throw e;
        }
    }

    /** {@code pg_ctl} says that the server is ready; only a connection shows it. One that recovers may end instead. */
    private void requireAnswer(long begin, Duration limit) {
        Condition.within(limit, () -> !answersLater() || hasNoProcesses());
        var answered = new AtomicBoolean();
        Condition.within(ANSWER_LIMIT, () -> {
            answered.set(answers());
            return answered.get() || hasNoProcesses();
        });
        if (!answered.get()) {
            killAll();
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "PostgreSQL on " + dataDirectory + " started but accepts no connection on 127.0.0.1 port " + port()
                            + ":\n" + log.tail(begin),
                    "do not set listen_addresses; the whole log is in " + log.file());
        }
    }

    private boolean answersLater() {
        return PostmasterFile.read(dataDirectory)
                .filter(PostmasterFile::answersLater)
                .isPresent();
    }

    private boolean answers() {
        if (!passwordFile.exists()) {
            return true;
        }
        Properties impatient = properties();
        // Being asked for it is answer enough, and proving that one knows it takes a tenth of a second.
        impatient.remove("password");
        // A stopped process still has its port: the kernel takes the connection and nobody answers.
        impatient.setProperty("socketTimeout", "5");
        try (Connection connection = DriverManager.getConnection(url("postgres"), impatient)) {
            return !connection.isClosed();
        } catch (SQLException e) {
            return answered(e);
        }
    }

    /** Refused for who asked or for what was asked, or asked for a password: still, the server itself answered. */
    private static boolean answered(SQLException failure) {
        String state = failure.getSQLState();
        return state != null
                && (state.equals(PASSWORD_WANTED)
                        || state.startsWith("28")
                        || state.startsWith("3D")
                        || state.startsWith("53"));
    }

    /**
     * After a crash. Children of a killed postmaster end by themselves, soon; those busy elsewhere are killed, because
     * two generations on one directory would destroy it. PostgreSQL itself sees through most files that a dead postmaster
     * left; we remove only one that would stop it: cut off by a full disk, or with a number that another program has now.
     */
    private void clearRemains() {
        if (!Condition.within(ORPHAN_LIMIT, this::hasNoProcesses)) {
            killAll();
        }
        boolean seesThrough = PostmasterFile.read(dataDirectory)
                .filter(file -> ProcessHandle.of(file.pid()).isEmpty())
                .isPresent();
        if (!seesThrough) {
            deletePostmasterFile();
        }
    }

    private void deletePostmasterFile() {
        try {
            Files.deleteIfExists(PostmasterFile.of(dataDirectory));
        } catch (IOException e) {
            throw DataDirectory.unusable(dataDirectory, e);
        }
    }

    private void killAll() {
        if (!ServerProcesses.kill(dataDirectory, IMMEDIATE_LIMIT)) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "processes " + ServerProcesses.of(dataDirectory) + " of the server on " + dataDirectory
                            + " survive SIGKILL",
                    "they hang in the kernel: see the machine's disks and its kernel log");
        }
    }

    private boolean hasNoProcesses() {
        return ServerProcesses.of(dataDirectory).isEmpty();
    }

    private PostmasterFile postmaster() {
        return PostmasterFile.read(dataDirectory).orElseThrow();
    }

    /** The port on the server's last command line, which the server itself keeps in {@code postmaster.opts}. */
    private Optional<Integer> lastPort() {
        try {
            Matcher matcher = LAST_PORT.matcher(Files.readString(dataDirectory.resolve("postmaster.opts")));
            return matcher.find() ? Optional.of(Integer.valueOf(matcher.group(1))) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private long prepareLog() {
        try {
            return log.prepare(user);
        } catch (IOException e) {
            throw DataDirectory.unusable(log.file(), e);
        }
    }

    @SuppressWarnings("try") // the claim is held, not used
    private static void runClaimed(Path dataDirectory, Runnable action) {
        Duration limit = START_LIMIT.plus(STOP_LIMIT);
        try (FileClaim claim = FileClaim.take(beside(dataDirectory, ".lock"), limit)) {
            action.run();
        }
    }

    static Path beside(Path dataDirectory, String suffix) {
        return dataDirectory.resolveSibling(dataDirectory.getFileName() + suffix);
    }

    private static Path absolute(Path dataDirectory) {
        Path absolute = dataDirectory.toAbsolutePath().normalize();
        if (UNQUOTABLE.matcher(absolute.toString()).find()) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "data directory " + absolute + " has a character in its path that pg_ctl cannot pass on",
                    "choose a path without \", $, ` and \\");
        }
        return absolute;
    }

    @Override
    public String toString() {
        return "PostgreSQL on " + dataDirectory;
    }
}
