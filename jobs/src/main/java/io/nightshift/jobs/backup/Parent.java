package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.SentIncrementals;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.ReplicationConnection;
import java.sql.Connection;
import java.util.Optional;

/** The backup that a new one builds on. */
sealed interface Parent extends AutoCloseable permits ParentBackup, ComparedParent {

    BackupDocument document();

    /** Shows it to the server that is to say what has changed since. */
    void upload(ReplicationConnection server, Connection session);

    /** What is wrong with the backup that the server has made of it; empty if nothing is. */
    Optional<String> objection(BackupStart start, SentIncrementals sent, Connection session);

    @Override
    void close();
}
