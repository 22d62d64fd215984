package io.nightshift.infra.routing;

import java.sql.Connection;
import java.sql.SQLException;

/** What is done over a connection that somebody else opens and closes. */
@FunctionalInterface
public interface SqlWork<T> {

    T on(Connection connection) throws SQLException;
}
