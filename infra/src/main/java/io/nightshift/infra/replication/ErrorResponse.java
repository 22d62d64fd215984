package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.ServerNotice;
import java.io.IOException;

/** The server said no to a command. The session goes on unless {@link #sessionOver()}. */
final class ErrorResponse extends IOException {

    private final transient ServerNotice error;
    private final boolean sessionOver;

    ErrorResponse(ServerNotice error, boolean sessionOver) {
        super(error.toString());
        this.error = error;
        this.sessionOver = sessionOver;
    }

    ServerNotice error() {
        return error;
    }

    boolean sessionOver() {
        return sessionOver;
    }
}
