package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;

/**
 * Takes WAL as it arrives, called by the thread that reads the socket: slow calls slow nobody but us down, because the
 * server keeps what is not acknowledged. Whatever a method throws ends the stream, on the server too, and reaches the
 * caller unchanged.
 */
public interface WalReceiver {

    /**
     * WAL that follows without a gap on what came before. The array belongs to the sender: use it up before returning.
     *
     * @param start where the first of these bytes lies
     */
    void wal(Lsn start, byte[] buffer, int offset, int length);

    /**
     * Everything before this location is stored for good. It is told to the server, which may remove it then. A server
     * that shuts down waits until this is all it has.
     */
    Lsn durable();

    /**
     * The server waits for word of how far we are, as it does when it shuts down and has nothing left to send: what was
     * received is to be made durable now, if that is possible within seconds.
     */
    void wordIsWanted();

    /** Asked several times a second, and after each message: false ends the stream in order. */
    boolean goesOn();
}
