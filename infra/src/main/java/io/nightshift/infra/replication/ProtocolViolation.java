package io.nightshift.infra.replication;

import java.io.IOException;

/** Bytes that no PostgreSQL server would send here. */
final class ProtocolViolation extends IOException {

    ProtocolViolation(String fact) {
        super(fact);
    }
}
