package io.nightshift.infra.postgres;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * What a server says in a NoticeResponse or an ErrorResponse (PostgreSQL manual, "Error and Notice Message Fields").
 *
 * @param severity never translated: {@code WARNING}, {@code NOTICE}, {@code ERROR}, {@code FATAL}, …
 * @param sqlState five characters; empty if the sender gave none
 * @param message in the server's language
 */
public record ServerNotice(
        String severity,
        String sqlState,
        String message,
        @Nullable String detail,
        @Nullable String hint) {

    /** Whether the words are those of who answered, not of pgjdbc, which uses PostgreSQL's codes for its own errors too. */
    public static boolean isIn(SQLException exception) {
        return exception instanceof PSQLException driver && driver.getServerErrorMessage() != null;
    }

    /** What the server said before pgjdbc made an exception of it; pgjdbc's own words if no server said anything. */
    public static ServerNotice of(SQLException exception) {
        ServerErrorMessage said = exception instanceof PSQLException driver ? driver.getServerErrorMessage() : null;
        if (said != null) {
            return new ServerNotice(
                    orEmpty(said.getSeverity()),
                    orEmpty(said.getSQLState()),
                    orEmpty(said.getMessage()),
                    said.getDetail(),
                    said.getHint());
        }
        return new ServerNotice("ERROR", orEmpty(exception.getSQLState()), orEmpty(exception.getMessage()), null, null);
    }

    /** Whether the server ends the session after this. */
    public boolean endsSession() {
        return severity.equals("FATAL") || severity.equals("PANIC");
    }

    /** Message and detail in one line. */
    public String text() {
        return (detail == null ? message : message + " (" + detail + ")").replace('\n', ' ');
    }

    @Override
    public String toString() {
        return severity + ": " + text();
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }
}
