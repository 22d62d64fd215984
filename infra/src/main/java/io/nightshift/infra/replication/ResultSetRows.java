package io.nightshift.infra.replication;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one result set. Only the text of the values counts: the type OIDs in a walsender's RowDescription differ
 * between versions and are partly garbage.
 */
record ResultSetRows(List<Row> rows) {

    /** One row. */
    record Row(List<Value> values) {

        @Nullable
        String text(int column) throws ProtocolViolation {
            byte[] bytes = bytes(column);
            return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
        }

        String required(int column) throws ProtocolViolation {
            String text = text(column);
            if (text == null) {
                throw new ProtocolViolation("column " + (column + 1) + " of a result is null");
            }
            return text;
        }

        byte @Nullable [] bytes(int column) throws ProtocolViolation {
            if (column >= values.size()) {
                throw new ProtocolViolation("a result has " + values.size() + " columns, not " + (column + 1));
            }
            return values.get(column).bytes();
        }
    }

    /** One value; null bytes are SQL's null. */
    @SuppressWarnings("ArrayRecordComponent") // never compared; the rows of the protocol are read once
    record Value(byte @Nullable [] bytes) {}

    /** The only row. */
    Row single() throws ProtocolViolation {
        if (rows.size() != 1) {
            throw new ProtocolViolation("a result has " + rows.size() + " rows instead of one");
        }
        return rows.get(0);
    }
}
