package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.ResultSetRows.Row;
import io.nightshift.infra.replication.ResultSetRows.Value;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The server's answer to one command, message by message, up to ReadyForQuery. What may come at any time, even inside a
 * COPY, is dealt with here: notices go to their consumer, ParameterStatus and NotificationResponse are dropped, an
 * ErrorResponse ends the answer.
 */
final class Answer {

    static final char COMMAND_COMPLETE = 'C';
    static final char COPY_IN = 'G';
    static final char COPY_OUT = 'H';
    static final char COPY_DONE = 'c';
    static final char READY_FOR_QUERY = 'Z';

    private static final char ERROR = 'E';
    private static final char NOTICE = 'N';
    private static final char PARAMETER_STATUS = 'S';
    private static final char NOTIFICATION = 'A';
    static final char ROW_DESCRIPTION = 'T';
    private static final char DATA_ROW = 'D';

    private final MessageReader messages;
    private final Consumer<ServerNotice> notices;

    Answer(MessageReader messages, Consumer<ServerNotice> notices) {
        this.messages = messages;
        this.notices = notices;
    }

    /** The body of the present message. */
    MessageReader body() {
        return messages;
    }

    /**
     * The type of the next message that belongs to the command.
     *
     * @throws ErrorResponse after reading on to ReadyForQuery, so that the next command may follow
     */
    char next() throws IOException {
        while (true) {
            char type = messages.next();
            switch (type) {
                case NOTICE -> notices.accept(notice());
                case PARAMETER_STATUS, NOTIFICATION -> {}
                case ERROR -> throw afterReadyForQuery(notice());
                default -> {
                    return type;
                }
            }
        }
    }

    void expect(char type) throws IOException {
        char next = next();
        if (next != type) {
            throw new ProtocolViolation("message '" + MessageReader.printable(next) + "' instead of '" + type + "'");
        }
    }

    /** One result set: RowDescription, rows, CommandComplete. */
    ResultSetRows resultSet() throws IOException {
        expect(ROW_DESCRIPTION);
        return restOfResultSet();
    }

    /** The same after its RowDescription. */
    ResultSetRows restOfResultSet() throws IOException {
        List<Row> rows = new ArrayList<>();
        long before = messages.received();
        while (true) {
            char type = next();
            if (messages.received() - before > MessageReader.LONGEST_MESSAGE) {
                throw new ProtocolViolation("a result of more than " + MessageReader.LONGEST_MESSAGE + " bytes");
            }
            switch (type) {
                case DATA_ROW -> rows.add(row());
                case COMMAND_COMPLETE -> {
                    return new ResultSetRows(rows);
                }
                default ->
                    throw new ProtocolViolation("message '" + MessageReader.printable(type) + "' inside a result set");
            }
        }
    }

    /** The end of a command that has said what it had to say. */
    void complete() throws IOException {
        expect(COMMAND_COMPLETE);
        expect(READY_FOR_QUERY);
    }

    private Row row() throws IOException {
        int columns = messages.readUnsignedShort();
        List<Value> values = new ArrayList<>();
        for (int column = 0; column < columns; column++) {
            values.add(new Value(messages.readValue()));
        }
        return new Row(values);
    }

    /** The fields of a NoticeResponse or an ErrorResponse; the untranslated severity (V) wins over the translated (S). */
    private ServerNotice notice() throws IOException {
        String severity = "";
        String untranslated = null;
        String sqlState = "";
        String message = "";
        String detail = null;
        String hint = null;
        for (byte field = messages.readByte(); field != 0; field = messages.readByte()) {
            String text = messages.readCString();
            switch (field) {
                case 'S' -> severity = text;
                case 'V' -> untranslated = text;
                case 'C' -> sqlState = text;
                case 'M' -> message = text;
                case 'D' -> detail = text;
                case 'H' -> hint = text;
                default -> {}
            }
        }
        return new ServerNotice(untranslated == null ? severity : untranslated, sqlState, message, detail, hint);
    }

    private ErrorResponse afterReadyForQuery(ServerNotice error) {
        if (error.endsSession()) {
            return new ErrorResponse(error, true);
        }
        try {
            while (messages.next() != READY_FOR_QUERY) {
                // whatever the server had sent before it stopped
            }
            return new ErrorResponse(error, false);
        } catch (IOException cut) {
            ErrorResponse response = new ErrorResponse(error, true);
            response.addSuppressed(cut);
            return response;
        }
    }
}
