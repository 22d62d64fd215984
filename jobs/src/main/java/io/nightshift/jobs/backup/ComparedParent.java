package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.SentIncrementals;
import io.nightshift.infra.incremental.KnownBlocks;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.ReplicationConnection;
import java.sql.Connection;
import java.util.Optional;

/** A parent of which we know the blocks: the server sends everything, and is asked nothing. */
record ComparedParent(BackupDocument document, KnownBlocks blocks) implements Parent {

    @Override
    public void upload(ReplicationConnection server, Connection session) {
        // Servers that send everything cannot be shown anything.
    }

    @Override
    public Optional<String> objection(BackupStart start, SentIncrementals sent, Connection session) {
        return Optional.empty(); // every byte was seen
    }

    @Override
    public void close() {
        blocks.close();
    }
}
