package io.nightshift.infra.damage;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import java.sql.SQLException;

/** What it means that a server could not do a check. */
public enum CheckFailure {
    /** The data are not what they should be. */
    DAMAGE,
    TIME_IS_OVER,
    /** There is no server any more. */
    CONNECTION_LOST,
    /** This server cannot judge it: a library it lacks, a function of the source that fails here. */
    NOT_JUDGED;

    public static CheckFailure of(SQLException failure) {
        String state = String.valueOf(failure.getSQLState());
        if (state.equals(SqlStates.QUERY_CANCELED)) {
            return TIME_IS_OVER;
        }
        if (state.startsWith("08") || state.startsWith("57P")) {
            return CONNECTION_LOST;
        }
        // "could not access file" is a library, "could not open file" is a relation
        boolean isLibrary = state.equals("58P01") && message(failure).contains("could not access file");
        return (state.startsWith("XX") || state.startsWith("58")) && !isLibrary ? DAMAGE : NOT_JUDGED;
    }

    /** As the server said it, without its details. */
    public static String message(SQLException failure) {
        return ServerNotice.of(failure).message();
    }
}
