package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.ResultSetRows.Row;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to a server's walsender (physical replication, PostgreSQL manual, "Streaming Replication Protocol"). The
 * role needs LOGIN REPLICATION, and each connection takes one of {@code max_wal_senders}.
 *
 * <p>One thread works with it; {@link #cancel} may be called from any. Everything fails with a
 * {@link NightshiftException}. After an error that the server reports the connection can go on; after a cut, a time-out,
 * a receiver's exception or a cancellation it is closed, and the server has been told to stop.
 */
public final class ReplicationConnection implements AutoCloseable {

    /** How every session of ours begins its application_name, so that operators find it. */
    public static final String APPLICATION_NAME = "nightshift";

    /** How long short commands, and logging in, may take unless the properties have a {@code socketTimeout}. */
    static final Duration COMMAND_LIMIT = Duration.ofSeconds(60);

    private static final Logger LOG = LoggerFactory.getLogger(ReplicationConnection.class);

    private static final Pattern AUTHORITY = Pattern.compile("jdbc:postgresql://(?:[^/?]*@)?([^/?]+)");
    private static final String SOCKET_TIMEOUT = "socketTimeout";
    private static final int LONGEST_APPLICATION_NAME = 63;
    private static final Duration CANCEL_GRACE = Duration.ofSeconds(2);

    private final String server;
    private final WireStream wire;
    private final PostgresVersion version;
    private final int backendPid;
    private final @Nullable Duration commandLimit;
    private final ReentrantLock working = new ReentrantLock();
    private final AtomicReference<@Nullable String> cancelled = new AtomicReference<>();
    private volatile boolean closed;

    private ReplicationConnection(
            String server, WireStream wire, PostgresVersion version, int backendPid, @Nullable Duration commandLimit) {
        this.server = server;
        this.wire = wire;
        this.version = version;
        this.backendPid = backendPid;
        this.commandLimit = commandLimit;
    }

    /**
     * Connects with pgjdbc: authentication, TLS and several hosts in the URL work as they do there.
     *
     * @param properties pgjdbc's connection properties; {@code user} and {@code password} among them. A
     *     {@code socketTimeout} (seconds) limits logging in and short commands, 60 s otherwise
     * @param purpose of the connection, seen in {@code pg_stat_replication} behind {@value #APPLICATION_NAME}; empty for
     *     that name alone
     */
    public static ReplicationConnection open(String jdbcUrl, Properties properties, String purpose) {
        String server = serverOf(jdbcUrl);
        PgConnection connection = null;
        try {
            connection = connect(jdbcUrl, replicationProperties(properties, purpose));
            PostgresVersion version =
                    new PostgresVersion(connection.getQueryExecutor().getServerVersionNum());
            return new ReplicationConnection(
                    server, WireStream.of(connection), version, connection.getBackendPID(), commandLimit(properties));
        } catch (SQLException refused) {
            if (String.valueOf(refused.getMessage()).contains(jdbcUrl)) {
                throw notUnderstood(); // without the cause: the URL may hold a password
            }
            throw ReplicationFailures.connecting(server, properties.getProperty("user", "of this process"), refused);
        } catch (IOException | RuntimeException unusable) {
            if (connection != null) {
                connection.getQueryExecutor().abort();
            }
            throw unusable instanceof IOException cut
                    ? ReplicationFailures.during("replication connection to " + server, cut)
                    : (RuntimeException) unusable;
        }
    }

    /** The SQLSTATE with which a server refused what has failed; empty when it was something else. */
    public static Optional<String> sqlState(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ErrorResponse refused) {
                return Optional.of(refused.error().sqlState());
            }
            if (cause instanceof SQLException refused) {
                return Optional.ofNullable(refused.getSQLState());
            }
        }
        return Optional.empty();
    }

    /** The host and port, or several, as the URL gives them. */
    public String server() {
        return server;
    }

    public PostgresVersion version() {
        return version;
    }

    /** The process that serves this connection, as whoever answered has announced it; a pooler announces what it likes. */
    public int backendPid() {
        return backendPid;
    }

    public SystemIdentity identifySystem() {
        return command("identify system at " + server, "IDENTIFY_SYSTEM", answer -> {
            Row row = answer.resultSet().single();
            return new SystemIdentity(
                    Values.systemIdentifier(row.required(0)),
                    Values.timeline(row.required(1)),
                    Values.lsn(row.required(2)));
        });
    }

    /** The value of a setting as SHOW prints it, such as {@code 16MB}. */
    public String show(String setting) {
        return command(
                "show " + setting + " at " + server,
                "SHOW " + Quoting.setting(setting),
                answer -> answer.resultSet().single().required(0));
    }

    /**
     * Creates a physical replication slot.
     *
     * @param temporary the slot ends with this connection, whoever ends it, and already with the first error that the
     *     server reports on it
     * @param reserveWal keep WAL from now on, not only from the first use
     */
    public void createPhysicalSlot(String name, boolean temporary, boolean reserveWal) {
        String command = "CREATE_REPLICATION_SLOT " + Quoting.slot(name) + (temporary ? " TEMPORARY" : "")
                + " PHYSICAL (RESERVE_WAL " + reserveWal + ")";
        command("create replication slot " + name + " at " + server, command, Answer::resultSet);
    }

    /** Drops a slot; one that somebody uses is refused. */
    public void dropSlot(String name) {
        command(
                "drop replication slot " + name + " at " + server,
                "DROP_REPLICATION_SLOT " + Quoting.slot(name),
                answer -> {
                    answer.expect(Answer.COMMAND_COMPLETE);
                    return name;
                });
    }

    /** Where a physical slot stands; empty if there is none of this name. */
    public Optional<SlotPosition> readSlot(String name) {
        String command = "READ_REPLICATION_SLOT " + Quoting.slot(name);
        return command("read replication slot " + name + " at " + server, command, answer -> {
            Row row = answer.resultSet().single();
            if (row.text(0) == null) {
                return Optional.empty();
            }
            String restartLsn = row.text(1);
            String timeline = row.text(2);
            return Optional.of(new SlotPosition(
                    restartLsn == null ? null : Values.lsn(restartLsn),
                    timeline == null ? null : Values.timeline(timeline)));
        });
    }

    /** The history file of a timeline; empty for timeline 1, which has none. */
    public Optional<TimelineHistory> timelineHistory(Timeline timeline) {
        if (timeline.equals(new Timeline(1))) {
            return Optional.empty();
        }
        String doing = "history of timeline " + timeline + " from " + server;
        return command(doing, "TIMELINE_HISTORY " + timeline, answer -> {
            Row row = answer.resultSet().single();
            byte[] content = row.bytes(1);
            return Optional.of(new TimelineHistory(row.required(0), content == null ? new byte[0] : content));
        });
    }

    /**
     * Streams a base backup to the receiver, on the calling thread.
     *
     * @return only when the server has confirmed the whole backup; look at {@link BackupEnd#sourceDamaged()}
     */
    public BackupEnd baseBackup(BaseBackupOptions options, BaseBackupReceiver receiver) {
        String command = options.command();
        return run("base backup from " + server, () -> {
            wire.sendQuery(command);
            return new BaseBackupStream(wire.messages(), wire::limitReads, receiver, options.idleLimit()).receive();
        });
    }

    /**
     * Shows the server the manifest of an earlier backup: the incremental backup that this connection takes next is based
     * on it. PostgreSQL 17 and newer. Once on a connection: after a failed upload the server would go on with the one
     * before.
     *
     * @param manifest on its way; its own checksum must be right
     */
    public void uploadManifest(ManifestUpload manifest) {
        run("upload of a backup manifest to " + server, () -> {
            wire.limitReads(commandLimit);
            wire.sendQuery("UPLOAD_MANIFEST");
            Answer answer = new Answer(wire.messages(), notice -> LOG.info("upload of a manifest: {}", notice));
            answer.expect(Answer.COPY_IN);
            try (OutputStream out = wire.copyIn()) {
                manifest.writeTo(out);
            }
            wire.sendCopyDone();
            answer.complete();
            return true;
        });
    }

    /** Writes a backup manifest. */
    @FunctionalInterface
    public interface ManifestUpload {
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Streams WAL to the receiver, on the calling thread, until the receiver wants no more, the timeline ends or the
     * server stops. With a slot, the server keeps what the receiver does not call durable.
     *
     * @param clock for the time of our answers, which the server only shows
     * @throws NightshiftException with SQLSTATE 58P01 in its cause when the server has removed the WAL already
     */
    public WalStreamEnd streamWal(WalStreamStart start, WalReceiver receiver, Clock clock) {
        String command = "START_REPLICATION " + (start.slot() == null ? "" : "SLOT " + Quoting.slot(start.slot()) + " ")
                + "PHYSICAL " + start.location() + " TIMELINE " + start.timeline();
        String doing = "WAL of timeline " + start.timeline() + " from " + start.location() + " on from " + server;
        Consumer<ServerNotice> log = notice -> LOG.info("{}: {}", doing, notice);
        return run(doing, () -> {
            wire.sendQuery(command);
            WalStreamEnd end = new WalStream(wire, new Answer(wire.messages(), log), start, receiver, clock).receive();
            if (end instanceof WalStreamEnd.ServerStopped) {
                closed = true;
                wire.abort();
            }
            return end;
        });
    }

    /**
     * Ends what the connection does, and the connection. The server is asked first, so that its walsender does not go on
     * for nobody; two seconds later the socket is closed under whoever still reads. Returns at once.
     */
    public void cancel(String why) {
        if (cancelled.compareAndSet(null, why)) {
            Thread canceller = new Thread(this::endOnServer, "nightshift-cancel-" + server);
            canceller.setDaemon(true);
            canceller.start();
        }
    }

    /** Ends the session; in the middle of a command, as {@link #cancel} does. */
    @Override
    public void close() {
        if (!working.isHeldByCurrentThread() && working.tryLock()) {
            try {
                if (!closed) {
                    closed = true;
                    wire.close();
                }
            } finally {
                working.unlock();
            }
        } else {
            cancel("connection to " + server + " was closed");
        }
    }

    private void endOnServer() {
        boolean idle = false;
        try {
            wire.cancelOnServer();
            idle = working.tryLock(CANCEL_GRACE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            closed = true;
            wire.abort();
            if (idle) {
                working.unlock();
            }
        }
    }

    @FunctionalInterface
    private interface Reading<T> {
        T from(Answer answer) throws IOException;
    }

    @FunctionalInterface
    private interface Exchange<T> {
        T run() throws IOException;
    }

    /** A short command: its rows, its end. */
    private <T> T command(String doing, String command, Reading<T> reading) {
        Consumer<ServerNotice> log = notice -> LOG.info("{}: {}", doing, notice);
        return run(doing, () -> {
            wire.limitReads(commandLimit);
            wire.sendQuery(command);
            Answer answer = new Answer(wire.messages(), log);
            T result = reading.from(answer);
            answer.expect(Answer.READY_FOR_QUERY);
            return result;
        });
    }

    /** One exchange with the server. Unless it comes to its end in order, the session is over. */
    private <T> T run(String doing, Exchange<T> exchange) {
        if (working.isHeldByCurrentThread() || !working.tryLock()) {
            throw new NightshiftException(FailureKind.BUG, doing + ": the connection is in use");
        }
        boolean inOrder = false;
        try {
            if (closed || cancelled.get() != null) {
                throw new IOException("it was closed before");
            }
            T result = exchange.run();
            inOrder = true;
            return result;
        } catch (IOException failure) {
            inOrder = failure instanceof ErrorResponse response && !response.sessionOver();
            throw failure(doing, failure);
        } finally {
            if (!inOrder && !closed) {
                closed = true;
                wire.cancelOnServer();
                wire.abort();
            }
            working.unlock();
        }
    }

    private NightshiftException failure(String doing, IOException failure) {
        String why = cancelled.get();
        return why == null
                ? ReplicationFailures.during(doing, failure)
                : new NightshiftException(FailureKind.CANCELLED, doing + ": " + why, null, failure);
    }

    private static PgConnection connect(String jdbcUrl, Properties properties) throws SQLException, IOException {
        Connection connection;
        try {
            connection = DriverManager.getConnection(jdbcUrl, properties);
        } catch (RuntimeException | AssertionError garbage) {
            // What pgjdbc takes for granted of a server's answers, whoever answers.
            throw new ProtocolViolation("the login makes no sense: " + garbage);
        }
        if (connection instanceof PgConnection ours) {
            return ours;
        }
        connection.close();
        throw notUnderstood();
    }

    private static NightshiftException notUnderstood() {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                "the URL of a replication connection is not one that pgjdbc understands",
                "write it as jdbc:postgresql://host:port/");
    }

    private static Properties replicationProperties(Properties given, String purpose) {
        Properties properties = new Properties();
        given.stringPropertyNames().forEach(name -> properties.setProperty(name, given.getProperty(name)));
        properties.putIfAbsent(SOCKET_TIMEOUT, Long.toString(COMMAND_LIMIT.toSeconds()));
        properties.setProperty("replication", "true");
        properties.setProperty("preferQueryMode", "simple");
        // Without it pgjdbc would set the application name with SQL, which a walsender refuses.
        properties.setProperty("assumeMinServerVersion", Integer.toString(PostgresVersion.OLDEST_SUPPORTED_MAJOR));
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("cancelSignalTimeout", Long.toString(CANCEL_GRACE.toSeconds()));
        properties.setProperty("ApplicationName", applicationName(purpose));
        return properties;
    }

    /** The server cuts the name at 63 bytes and shows what is not ASCII as question marks. */
    private static String applicationName(String purpose) {
        String name = (APPLICATION_NAME + " " + purpose.replaceAll("[^ -~]", "?")).strip();
        return name.length() > LONGEST_APPLICATION_NAME ? name.substring(0, LONGEST_APPLICATION_NAME) : name;
    }

    /** 0 is pgjdbc's word for no limit. */
    private static @Nullable Duration commandLimit(Properties given) {
        String seconds = given.getProperty(SOCKET_TIMEOUT, Long.toString(COMMAND_LIMIT.toSeconds()));
        return seconds.equals("0") ? null : Duration.ofSeconds(Long.parseLong(seconds));
    }

    /** Host and port, for messages; whatever else is in the URL may be a secret. */
    private static String serverOf(String jdbcUrl) {
        Matcher authority = AUTHORITY.matcher(jdbcUrl);
        return authority.lookingAt() ? authority.group(1) : "localhost:5432";
    }
}
