package io.nightshift.infra.wal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * Takes WAL files that a server's {@code archive_command} hands over, on a local socket that only the same user reaches:
 * one line {@code push CLUSTER PATH}, one line back, {@code ok} when the file is durable in every storage or {@code error}
 * and why. Reads the files itself. Each connection has a thread of its own.
 */
public final class WalPushServer implements AutoCloseable {

    private static final int LONGEST_REQUEST = 8192;
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Pattern BACKUP_HISTORY = Pattern.compile("[0-9A-F]{24}\\.[0-9A-F]{8}\\.backup");
    private static final Pattern PARTIAL = Pattern.compile("[0-9A-F]{24}\\.partial");

    /** Where the files of a cluster go, and how they are known to be its own. */
    public record Destination(WalArchive archive, int major, SystemIdentifier systemIdentifier) {}

    /** The clusters whose files are taken. */
    @FunctionalInterface
    public interface Destinations {

        /**
         * Where its files go.
         *
         * @throws NightshiftException if there is no such cluster, or it cannot be told now what it is
         */
        Destination of(String cluster);
    }

    private final Path socket;
    private final Destinations destinations;
    private final ServerSocketChannel listening;
    private final ExecutorService threads;

    private WalPushServer(Path socket, Destinations destinations, ServerSocketChannel listening) {
        this.socket = socket;
        this.destinations = destinations;
        this.listening = listening;
        this.threads = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "wal-push");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Listens from now on. What a process left there that died is replaced. */
    public static WalPushServer listen(Path socket, Destinations destinations) {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(socket);
        requireNobody(socket, address);
        try {
            Files.deleteIfExists(socket);
            ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                listening.bind(address);
                Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            } catch (IOException e) {
                listening.close();
                throw e;
            }
            var server = new WalPushServer(socket, destinations, listening);
            server.threads.execute(server::accept);
            return server;
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "no socket for pushed WAL at " + socket + ": " + e.getMessage(),
                    "its path may have some 100 bytes: choose a home folder with a shorter one",
                    e);
        }
    }

    private static void requireNobody(Path socket, UnixDomainSocketAddress address) {
        try (SocketChannel other = SocketChannel.open(address)) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "another process takes pushed WAL at " + socket + " (" + other.getRemoteAddress() + ")",
                    "one is enough: stop it first");
        } catch (IOException nobody) {
            // as it should be
        }
    }

    private void accept() {
        while (listening.isOpen()) {
            try {
                SocketChannel connection = listening.accept();
                threads.execute(() -> serve(connection));
            } catch (ClosedChannelException closed) {
                return;
            } catch (IOException e) {
                // Too many open files, perhaps: whoever asks tries again.
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            ByteBuffer answer = UTF_8.encode(answer(line(Channels.newInputStream(connection))) + "\n");
            while (answer.hasRemaining()) {
                connection.write(answer);
            }
        } catch (IOException gone) {
            // It asks again for the same file.
        }
    }

    private static String line(InputStream in) throws IOException {
        byte[] line = new byte[LONGEST_REQUEST];
        int length = 0;
        for (int one = in.read(); one >= 0 && one != '\n' && length < line.length; one = in.read()) {
            line[length++] = (byte) one;
        }
        return new String(line, 0, length, UTF_8);
    }

    private String answer(String request) {
        try {
            String[] words = request.split(" ", 3);
            if (words.length != 3 || !words[0].equals("push") || !words[2].startsWith("/")) {
                return "error not understood: \"" + request + "\"; push CLUSTER PATH is accepted";
            }
            push(destinations.of(words[1]), words[1], Path.of(words[2]));
            return "ok";
        } catch (IOException e) {
            return "error " + request.substring(5) + " not read: " + oneLine(e.toString());
        } catch (RuntimeException e) {
            return "error " + oneLine(String.valueOf(e.getMessage()));
        }
    }

    private static String oneLine(String text) {
        return text.replace('\n', ' ');
    }

    private static void push(Destination destination, String cluster, Path file) throws IOException {
        String name = file.getFileName().toString();
        long segmentSize = destination.archive().segmentSize();
        Optional<WalSegment> segment = WalSegment.parse(name.replaceFirst("\\.partial$", ""), segmentSize);
        Optional<WalObject> history = name.endsWith(".history") ? WalObject.parse(name, segmentSize) : Optional.empty();
        if (BACKUP_HISTORY.matcher(name).matches()) {
            return; // says when a backup was taken; ours say so themselves
        }
        if (history.isPresent()) {
            destination.archive().store(history.get(), () -> Files.newInputStream(file));
        } else if (segment.isPresent()) {
            requireOwn(destination, cluster, segment.get(), file);
            if (PARTIAL.matcher(name).matches()) {
                pushPartial(destination, segment.get(), file);
            } else {
                destination.archive().store(new WalObject.Segment(segment.get()), () -> Files.newInputStream(file));
            }
        } else {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    file + " has no name of a WAL file in segments of " + segmentSize + " bytes",
                    "archive_command is to pass %p");
        }
    }

    private static void requireOwn(Destination destination, String cluster, WalSegment segment, Path file)
            throws IOException {
        String wrong = "";
        if (Files.size(file) != segment.size()) {
            wrong = "has " + Files.size(file) + " bytes, not " + segment.size();
        } else {
            try (WalPages pages = pages(destination, segment, file)) {
                if (!pages.reach(segment.start())) {
                    wrong = "is not WAL of this cluster: the first page " + pages.wrong();
                } else if (!pages.systemIdentifier().equals(Optional.of(destination.systemIdentifier()))) {
                    wrong = "is of another system identifier than " + destination.systemIdentifier();
                } else if (!PARTIAL.matcher(file.getFileName().toString()).matches()) {
                    wrong = judgeLater(pages, segment);
                }
            }
        }
        if (!wrong.isEmpty()) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    file + " pushed for cluster " + cluster + " " + wrong,
                    "see the --cluster in the archive_command of that server; nothing was stored");
        }
    }

    /**
     * The pages after the first: each is one of this place, up to where the server switched to the next segment. Their
     * records have checksums, which are left to who reads them.
     */
    private static String judgeLater(WalPages pages, WalSegment segment) throws IOException {
        boolean switched = false;
        for (Lsn page = segment.start().plus(WalPages.SIZE);
                page.isBefore(segment.end());
                page = page.plus(WalPages.SIZE)) {
            boolean isRight = pages.reach(page);
            if (isRight ? switched : !pages.isEmpty()) {
                return "is damaged: the page at byte " + page.minus(segment.start()) + " "
                        + (isRight ? "comes after empty ones" : pages.wrong());
            }
            switched = !isRight;
        }
        return "";
    }

    private static WalPages pages(Destination destination, WalSegment segment, Path file) {
        return new WalPages(source(segment, file), destination.major(), segment.size(), any -> segment.timeline());
    }

    private static WalSegments source(WalSegment segment, Path file) {
        return wanted -> wanted.equals(segment) ? Optional.of(Files.newInputStream(file)) : Optional.empty();
    }

    /** The end of a timeline that was left: a whole file, with WAL only at its beginning. */
    private static void pushPartial(Destination destination, WalSegment segment, Path file) throws IOException {
        Lsn end;
        try (var records = new WalRecords(pages(destination, segment, file), segment.size(), segment.start())) {
            while (records.next(segment.end())) {
                // to the last one
            }
            end = records.start().isValid() ? records.end() : segment.start();
        }
        if (end.equals(segment.end())) {
            destination.archive().store(new WalObject.Segment(segment), () -> Files.newInputStream(file));
        } else if (segment.start().isBefore(end)) {
            long length = end.minus(segment.start());
            destination
                    .archive()
                    .store(
                            new WalObject.Partial(segment, end),
                            () -> new Beginning(Files.newInputStream(file), length));
        }
    }

    /** Takes no more; what is being stored goes on, and its answer is lost: it is pushed again. */
    @Override
    public void close() {
        try {
            listening.close();
            Files.deleteIfExists(socket);
        } catch (IOException harmless) {
            // the next process replaces it
        }
        threads.shutdown();
    }
}
