package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.ServerNotice;

/**
 * Takes a base backup as it arrives, called by the thread that reads the socket: slow calls slow the server down, which is
 * the back-pressure. Whatever a method throws ends the backup, on the server too, and reaches the caller unchanged.
 *
 * <p>The arrays belong to the sender: use them up before returning. Calls carry whatever the network delivered at once,
 * from one byte to 32 KiB.
 */
public interface BaseBackupReceiver {

    /** The checkpoint is done; archives follow. Called once, first. */
    void started(BackupStart start);

    /**
     * A tar archive begins, and the one before it, if any, is complete. Archives of tablespaces come first.
     *
     * @param name {@code <oid>.tar}, or {@code base.tar} for the data directory
     * @param location the tablespace's directory on the server; empty for the data directory
     */
    void archive(String name, String location);

    /** Bytes of the present archive. */
    void data(byte[] buffer, int offset, int length);

    /** Bytes of the backup manifest, after the last archive. */
    void manifest(byte[] buffer, int offset, int length);

    /** Bytes of archives sent so far, of the whole backup; about once a second if progress was asked for. */
    default void progress(long bytesDone) {}

    /** Something the server wants to be known, such as a page with a wrong checksum. */
    default void notice(ServerNotice notice) {}
}
