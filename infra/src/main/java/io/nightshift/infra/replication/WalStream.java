package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.replication.ResultSetRows.Row;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * The answer to START_REPLICATION PHYSICAL (PostgreSQL manual, "Streaming Replication Protocol"): WAL and keepalives in
 * one direction, how far we are in the other, until one of both has no more to say.
 */
final class WalStream {

    private static final char COPY_BOTH = 'W';
    private static final byte WAL_DATA = 'w';
    private static final byte KEEPALIVE = 'k';

    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");
    private static final Duration TICK = Duration.ofMillis(250);
    private static final Duration STATUS_EVERY = Duration.ofSeconds(10);

    private final WireStream wire;
    private final MessageReader messages;
    private final Answer answer;
    private final WalReceiver receiver;
    private final WalStreamStart start;
    private final Clock clock;
    private Lsn received;
    private Lsn told = Lsn.INVALID;
    private long toldAt = System.nanoTime();
    private long heardAt = toldAt;
    private boolean asked;
    private boolean leaving;

    WalStream(WireStream wire, Answer answer, WalStreamStart start, WalReceiver receiver, Clock clock) {
        this.wire = wire;
        this.clock = clock;
        this.messages = wire.messages();
        this.answer = answer;
        this.start = start;
        this.receiver = receiver;
        this.received = start.location();
    }

    WalStreamEnd receive() throws IOException {
        wire.limitReads(start.silence());
        char first = answer.next();
        if (first == Answer.ROW_DESCRIPTION) {
            // It was asked to begin where the timeline ends.
            return nextTimeline(answer.restOfResultSet());
        }
        if (first != COPY_BOTH) {
            throw new ProtocolViolation("message '" + MessageReader.printable(first) + "' instead of WAL");
        }
        tell(false);
        while (true) {
            if (!arrives()) {
                requireWord();
            } else {
                char type = answer.next();
                heardAt = System.nanoTime();
                asked = false;
                switch (type) {
                    case MessageReader.COPY_DATA -> copyData();
                    case Answer.COPY_DONE -> {
                        return end();
                    }
                    case Answer.COMMAND_COMPLETE -> {
                        return new WalStreamEnd.ServerStopped();
                    }
                    default ->
                        throw new ProtocolViolation(
                                "message '" + MessageReader.printable(type) + "' inside a stream of WAL");
                }
            }
            tellIfDue();
        }
    }

    /** Whether a message is here within a tick; one that has begun to arrive may take as long as silence may last. */
    private boolean arrives() throws IOException {
        if (messages.isBuffered()) {
            return true;
        }
        wire.limitReads(TICK);
        boolean here = messages.arrives();
        wire.limitReads(start.silence());
        return here;
    }

    private void copyData() throws IOException {
        byte type = messages.readByte();
        switch (type) {
            case WAL_DATA -> wal();
            case KEEPALIVE -> {
                messages.readLong();
                messages.readLong();
                if (messages.readByte() == 1) {
                    receiver.wordIsWanted();
                    tell(false);
                }
            }
            default ->
                throw new ProtocolViolation(
                        "'" + MessageReader.printable((char) (type & 0xFF)) + "' inside a stream of WAL");
        }
    }

    private void wal() throws IOException {
        Lsn from = new Lsn(messages.readLong());
        messages.readLong();
        messages.readLong();
        if (!from.equals(received)) {
            throw new ProtocolViolation("WAL from " + from + " on, where " + received + " follows");
        }
        for (int length = messages.slice(); length > 0; length = messages.slice()) {
            if (!leaving) {
                receiver.wal(received, messages.buffer(), messages.offset(), length);
            }
            messages.consume(length);
            received = received.plus(length);
        }
    }

    private void tellIfDue() throws IOException {
        if (leaving) {
            return;
        }
        if (!receiver.goesOn()) {
            tell(false);
            leaving = true;
            wire.sendCopyDone();
        } else if (!receiver.durable().equals(told) || since(toldAt).compareTo(STATUS_EVERY) > 0) {
            tell(false);
        }
    }

    /** A server with nothing to say is asked whether it is there, and then has as much time again. */
    private void requireWord() throws IOException {
        Duration quiet = since(heardAt);
        if (quiet.compareTo(start.silence()) > 0) {
            throw new SocketTimeoutException("no word for " + quiet.toSeconds() + " s");
        }
        if (!asked && !leaving && quiet.compareTo(start.silence().dividedBy(2)) > 0) {
            asked = true;
            tell(true);
        }
    }

    /** StandbyStatusUpdate: received, durable, nothing replayed; and whether an answer is wanted. */
    private void tell(boolean answerWanted) throws IOException {
        told = receiver.durable();
        toldAt = System.nanoTime();
        wire.sendCopyData(ByteBuffer.allocate(34)
                .put((byte) 'r')
                .putLong(received.position())
                .putLong(told.position())
                .putLong(0)
                .putLong(ChronoUnit.MICROS.between(POSTGRES_EPOCH, clock.instant()))
                .put((byte) (answerWanted ? 1 : 0))
                .array());
    }

    private WalStreamEnd end() throws IOException {
        if (leaving) {
            answer.expect(Answer.COMMAND_COMPLETE);
            answer.complete();
            return new WalStreamEnd.Stopped();
        }
        wire.sendCopyDone();
        return nextTimeline(answer.resultSet());
    }

    private WalStreamEnd nextTimeline(ResultSetRows result) throws IOException {
        Row row = result.single();
        var next = new WalStreamEnd.TimelineEnded(Values.timeline(row.required(0)), Values.lsn(row.required(1)));
        if (next.next().compareTo(start.timeline()) <= 0) {
            throw new ProtocolViolation("timeline " + next.next() + " after timeline " + start.timeline());
        }
        answer.complete();
        return next;
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }
}
