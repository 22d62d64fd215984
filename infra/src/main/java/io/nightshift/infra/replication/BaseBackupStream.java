package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.replication.ResultSetRows.Row;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The answer to BASE_BACKUP (PostgreSQL manual, "Streaming Replication Protocol"; 15 and newer): two result sets with
 * the start and the tablespaces, one COPY with all archives and the manifest, one result set with the end. Only the
 * CommandComplete and the ReadyForQuery after it mean success.
 */
final class BaseBackupStream {

    private enum Phase {
        BEFORE_ARCHIVES,
        ARCHIVE,
        MANIFEST
    }

    /** Sets how long a read may wait; null for ever. */
    @FunctionalInterface
    interface ReadLimit {
        void set(@Nullable Duration limit) throws IOException;
    }

    private final MessageReader messages;
    private final ReadLimit reads;
    private final BaseBackupReceiver receiver;
    private final @Nullable Duration idleLimit;
    private final List<ServerNotice> notices = new ArrayList<>();
    private Phase phase = Phase.BEFORE_ARCHIVES;

    BaseBackupStream(
            MessageReader messages, ReadLimit reads, BaseBackupReceiver receiver, @Nullable Duration idleLimit) {
        this.messages = messages;
        this.reads = reads;
        this.receiver = receiver;
        this.idleLimit = idleLimit;
    }

    /** Reads the whole answer. During the checkpoint before the first row the server is rightly silent for minutes. */
    BackupEnd receive() throws IOException {
        reads.set(null);
        Answer answer = new Answer(messages, this::notice);
        Row start = answer.resultSet().single();
        receiver.started(new BackupStart(
                Values.lsn(start.required(0)), Values.timeline(start.required(1)), tablespaces(answer.resultSet())));
        reads.set(idleLimit);
        answer.expect(Answer.COPY_OUT);
        receiveCopy(answer);
        return end(answer);
    }

    private void receiveCopy(Answer answer) throws IOException {
        while (true) {
            char type = answer.next();
            switch (type) {
                case MessageReader.COPY_DATA -> copyData(answer.body());
                case Answer.COPY_DONE -> {
                    return;
                }
                default ->
                    throw new ProtocolViolation(
                            "message '" + MessageReader.printable(type) + "' inside the COPY of a base backup");
            }
        }
    }

    private void copyData(MessageReader body) throws IOException {
        byte type = body.readByte();
        switch (type) {
            case 'd' -> data(body);
            case 'n' -> {
                if (phase == Phase.MANIFEST) {
                    throw new ProtocolViolation("an archive after the backup manifest");
                }
                phase = Phase.ARCHIVE;
                receiver.archive(body.readCString(), body.readCString());
            }
            case 'p' -> receiver.progress(body.readLong());
            case 'm' -> phase = Phase.MANIFEST;
            default ->
                throw new ProtocolViolation(
                        "'" + MessageReader.printable((char) (type & 0xFF)) + "' inside the COPY of a base backup");
        }
    }

    private void data(MessageReader body) throws IOException {
        for (int length = body.slice(); length > 0; length = body.slice()) {
            switch (phase) {
                case ARCHIVE -> receiver.data(body.buffer(), body.offset(), length);
                case MANIFEST -> receiver.manifest(body.buffer(), body.offset(), length);
                case BEFORE_ARCHIVES -> throw new ProtocolViolation("data before the first archive");
            }
            body.consume(length);
        }
    }

    /**
     * After wrong page checksums everything arrives, the end location too, and an error takes the place of the last
     * CommandComplete.
     */
    private BackupEnd end(Answer answer) throws IOException {
        Row end = answer.resultSet().single();
        boolean sourceDamaged = false;
        try {
            answer.complete();
        } catch (ErrorResponse response) {
            if (response.sessionOver() || !response.error().sqlState().equals(SqlStates.DATA_CORRUPTED)) {
                throw response;
            }
            sourceDamaged = true;
            notice(response.error());
        }
        return new BackupEnd(Values.lsn(end.required(0)), Values.timeline(end.required(1)), notices, sourceDamaged);
    }

    private void notice(ServerNotice notice) {
        if (notices.size() < BackupEnd.MOST_NOTICES) {
            notices.add(notice);
        }
        receiver.notice(notice);
    }

    private static List<TablespaceInfo> tablespaces(ResultSetRows result) throws IOException {
        List<TablespaceInfo> tablespaces = new ArrayList<>();
        for (Row row : result.rows()) {
            String oid = row.text(0);
            String location = row.text(1);
            String kilobytes = row.text(2);
            tablespaces.add(new TablespaceInfo(
                    oid == null ? 0 : Values.number(oid),
                    location == null ? "" : location,
                    kilobytes == null ? null : Values.number(kilobytes)));
        }
        return tablespaces;
    }
}
