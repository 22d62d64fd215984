package io.nightshift.infra.wal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads WAL record by record, and says of each at which recovery could stop. Every record counts only with its checksum,
 * so what it says was written by a server. Needs little memory, however large a record is, but for the end of a prepared
 * transaction: four bytes for each of its subtransactions. Not thread-safe.
 *
 * <p>The formats are those of PostgreSQL 15 to 18, from {@code src/include/access/xact.h} and {@code xlog_internal.h}.
 */
public final class WalEvents implements AutoCloseable {

    static final Lsn EVERYTHING = new Lsn(-1);
    private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private static final int COMMIT = 0x00;
    private static final int ABORT = 0x20;
    private static final int COMMIT_PREPARED = 0x30;
    private static final int ABORT_PREPARED = 0x40;
    private static final int TRANSACTION_OPERATION = 0x70;
    private static final int HAS_DETAILS = 0x80;

    private static final int HAS_DATABASE = 1;
    private static final int HAS_SUBTRANSACTIONS = 1 << 1;
    private static final int HAS_RELATIONS = 1 << 2;
    private static final int HAS_INVALIDATIONS = 1 << 3;
    private static final int HAS_PREPARED_XID = 1 << 4;
    private static final int HAS_DROPPED_STATISTICS = 1 << 8;

    private static final int SHORT_DATA = 255;
    private static final int LONG_DATA = 254;
    private static final int ORIGIN = 253;
    private static final int TOP_LEVEL_XID = 252;
    private static final int NAME_LENGTH = 64;
    private static final int TIME_OF_CHECKPOINT = 64;

    /**
     * Where and why the WAL ends.
     *
     * @param at where the bytes end, or where bytes begin that are no record
     * @param wrong what these are instead; "" if there are none
     */
    public record Ending(Lsn at, String wrong) {}

    private final WalRecords records;
    private final int major;
    private final Lsn to;
    private final Lsn last;

    /**
     * @param source of the segments
     * @param major version of the server that wrote them
     * @param path on which timeline the segment that begins at a location is to be read
     * @param from the beginning of a record, or of a segment: then the first record that begins in it is the first
     */
    public WalEvents(WalSegments source, int major, long segmentSize, Function<Lsn, Timeline> path, Lsn from) {
        this(source, major, segmentSize, path, from, EVERYTHING, EVERYTHING);
    }

    /**
     * @param to reads no record that begins here or later
     * @param last the first record that begins here or later is the last one
     */
    WalEvents(
            WalSegments source, int major, long segmentSize, Function<Lsn, Timeline> path, Lsn from, Lsn to, Lsn last) {
        this.records = new WalRecords(new WalPages(source, major, segmentSize, path), segmentSize, from);
        this.major = major;
        this.to = to;
        this.last = last;
    }

    /**
     * The next one; empty where the WAL ends, in order or in the middle of a record.
     *
     * @throws IOException if it is damaged or has a hole: no record follows, but WAL goes on later. What is wrong with the
     *     last WAL there is cannot be told from its end; {@link #ending} says what was found there
     */
    public Optional<WalEvent> next() throws IOException {
        while (records.start().isBefore(last) && records.next(to)) {
            Optional<WalEvent> event = event();
            if (event.isPresent()) {
                return event;
            }
        }
        return Optional.empty();
    }

    private Optional<WalEvent> event() throws IOException {
        try {
            return switch (records.manager()) {
                case WalRecords.TRANSACTION_MANAGER -> transaction();
                case WalRecords.LOG_MANAGER -> ofLog();
                case WalRecords.TABLESPACE_MANAGER ->
                    records.operation() == WalRecords.CREATE_TABLESPACE
                            ? Optional.of(tablespaceCreation())
                            : Optional.empty();
                default -> Optional.empty();
            };
        } catch (BufferUnderflowException | IllegalArgumentException | ArithmeticException e) {
            throw new IOException("the record at " + records.start() + " is not understood", e);
        }
    }

    /** A savepoint that is rolled back ends as a transaction does, with the xid of its own. */
    private Optional<WalEvent> transaction() {
        int operation = records.info() & TRANSACTION_OPERATION;
        if (operation != COMMIT && operation != ABORT && !isOfPrepared(records.info())) {
            return Optional.empty();
        }
        ByteBuffer data = data(records.content());
        Instant at = time(data);
        long xid = isOfPrepared(records.info()) ? preparedXid(data) : records.xid();
        return Optional.of(new WalEvent.TransactionEnd(
                records.start(), records.end(), xid, at, operation == COMMIT || operation == COMMIT_PREPARED));
    }

    /** COMMIT PREPARED and ROLLBACK PREPARED are no transactions with an xid themselves. */
    static boolean isOfPrepared(int info) {
        int operation = info & TRANSACTION_OPERATION;
        return operation == COMMIT_PREPARED || operation == ABORT_PREPARED;
    }

    private long preparedXid(ByteBuffer data) {
        int details = (records.info() & HAS_DETAILS) == 0 ? 0 : data.getInt();
        if ((details & HAS_PREPARED_XID) == 0) {
            throw new IllegalArgumentException("the end of a prepared transaction without its xid");
        }
        if ((details & HAS_DATABASE) != 0) {
            skip(data, 8);
        }
        skipList(data, details & HAS_SUBTRANSACTIONS, 4);
        skipList(data, details & HAS_RELATIONS, 12);
        skipList(data, details & HAS_DROPPED_STATISTICS, major >= 18 ? 16 : 12);
        skipList(data, details & HAS_INVALIDATIONS, 16);
        return Integer.toUnsignedLong(data.getInt());
    }

    private static void skipList(ByteBuffer data, int isThere, int size) {
        if (isThere != 0) {
            skip(data, data.getInt() * (long) size);
        }
    }

    private static void skip(ByteBuffer data, long bytes) {
        data.position(Math.toIntExact(data.position() + bytes));
    }

    private Optional<WalEvent> ofLog() {
        return switch (records.operation()) {
            case WalRecords.RESTORE_POINT -> Optional.of(restorePoint());
            case WalRecords.CHECKPOINT_ONLINE, WalRecords.CHECKPOINT_SHUTDOWN -> Optional.of(checkpoint());
            default -> Optional.empty();
        };
    }

    /** From {@code src/include/catalog/pg_control.h}. */
    private WalEvent checkpoint() {
        ByteBuffer data = data(records.content());
        Instant at = Instant.ofEpochSecond(data.getLong(data.position() + TIME_OF_CHECKPOINT));
        return new WalEvent.Checkpoint(records.start(), records.end(), at);
    }

    private WalEvent restorePoint() {
        ByteBuffer data = data(records.content());
        Instant at = time(data);
        byte[] name = new byte[NAME_LENGTH];
        data.get(name);
        return new WalEvent.RestorePoint(records.start(), records.end(), upToZero(name), at);
    }

    /** From {@code src/include/commands/tablespace.h}. */
    private WalEvent tablespaceCreation() {
        ByteBuffer data = data(records.content());
        long oid = Integer.toUnsignedLong(data.getInt());
        byte[] location = new byte[data.remaining()];
        data.get(location);
        return new WalEvent.TablespaceCreation(records.start(), records.end(), oid, upToZero(location));
    }

    private static String upToZero(byte[] text) {
        int length = 0;
        while (length < text.length && text[length] != 0) {
            length++;
        }
        return new String(text, 0, length, UTF_8);
    }

    /** The record in whose place a record stands that says so. */
    static Lsn overwritten(ByteBuffer content) {
        return new Lsn(data(content).getLong());
    }

    /** Goes to the main data of a record without blocks. */
    private static ByteBuffer data(ByteBuffer content) {
        while (true) {
            int id = content.get() & 0xFF;
            switch (id) {
                case ORIGIN -> skip(content, 2);
                case TOP_LEVEL_XID -> skip(content, 4);
                case SHORT_DATA -> {
                    skip(content, 1);
                    return content;
                }
                case LONG_DATA -> {
                    skip(content, 4);
                    return content;
                }
                default -> throw new IllegalArgumentException("a part " + id + " is not expected");
            }
        }
    }

    private static Instant time(ByteBuffer data) {
        return EPOCH.plus(data.getLong(), ChronoUnit.MICROS);
    }

    /** Where the last whole record begins that was read: the furthest location that recovery can reach as a target. */
    public Lsn lastRecord() {
        return records.start();
    }

    /** Where the last whole record ends. */
    public Lsn position() {
        return records.end();
    }

    /** Where and why there was no next one; empty as long as there may be. */
    public Optional<Ending> ending() {
        return Optional.ofNullable(records.ending());
    }

    @Override
    public void close() throws IOException {
        records.close();
    }
}
