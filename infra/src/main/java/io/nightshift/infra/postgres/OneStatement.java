package io.nightshift.infra.postgres;

import java.sql.SQLException;
import org.postgresql.core.Parser;

/**
 * Whether a text is one statement. pgjdbc sends each of several by itself, so that the server, which refuses several in one
 * message of the extended protocol, would never see that they were one text: what pgjdbc takes for one is one for the server
 * too, or refused by it.
 */
public final class OneStatement {

    private static final String SYNTAX_ERROR = "42601";

    private OneStatement() {}

    /**
     * Refuses anything else, with the code that the server has for it.
     *
     * @param sql for a session with standard_conforming_strings on
     */
    public static void require(String sql) throws SQLException {
        int count = Parser.parseJdbcSql(sql, true, false, true, false, false).size();
        if (count != 1) {
            throw new SQLException("it is not one statement but " + count, SYNTAX_ERROR);
        }
    }
}
