package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import java.time.Instant;

/** A record of the WAL at which recovery can stop, that has a time, or that reaches beyond the data directory. */
public sealed interface WalEvent {

    /** Where the record begins. */
    Lsn start();

    /** Where the next record may begin. */
    Lsn end();

    /**
     * A transaction ended: committed or aborted, prepared ones too.
     *
     * @param xid of the top-level transaction, or of a savepoint that was rolled back, which ends by itself
     * @param at by the clock of the server, to the microsecond. Not monotonic: who waits for a lock or for a synchronous
     *     standby has its time first
     */
    record TransactionEnd(Lsn start, Lsn end, long xid, Instant at, boolean committed) implements WalEvent {}

    /** {@code pg_create_restore_point(name)}. */
    record RestorePoint(Lsn start, Lsn end, String name, Instant at) implements WalEvent {}

    /** A checkpoint, online or at a shutdown. {@code at} is when it began, by the server's clock, in whole seconds. */
    record Checkpoint(Lsn start, Lsn end, Instant at) implements WalEvent {}

    /**
     * {@code CREATE TABLESPACE}. Replay uses the same directory, wherever the data directory is by then.
     *
     * @param location absolute; "" for one inside the data directory
     */
    record TablespaceCreation(Lsn start, Lsn end, long oid, String location) implements WalEvent {}
}
