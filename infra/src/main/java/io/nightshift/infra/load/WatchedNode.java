package io.nightshift.infra.load;

import java.sql.Connection;
import java.util.function.Supplier;

/**
 * A node whose load counts.
 *
 * @param name such as {@code db1:5432}
 * @param sessions opens a session of its own there; whoever watches closes it
 */
public record WatchedNode(String name, Supplier<Connection> sessions) {}
