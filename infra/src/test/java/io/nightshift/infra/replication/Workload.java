package io.nightshift.infra.replication;

import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** Inserts numbered rows into table busy, one transaction each, until closed. */
final class Workload implements AutoCloseable {

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicLong committed = new AtomicLong();
    private final CompletableFuture<Void> running;

    Workload(TestPostgres postgres) {
        postgres.execute("postgres", "CREATE TABLE busy (id bigint PRIMARY KEY, filler text)");
        running = CompletableFuture.runAsync(() -> insert(postgres));
    }

    /** Rows committed so far: 1, 2, … without gaps. */
    long committed() {
        return committed.get();
    }

    @Override
    public void close() {
        stop.set(true);
        running.join();
    }

    private void insert(TestPostgres postgres) {
        try (Connection connection = postgres.connect("postgres");
                Statement statement = connection.createStatement()) {
            while (!stop.get()) {
                long id = committed.get() + 1;
                statement.execute("INSERT INTO busy VALUES (" + id + ", repeat('x', 900))");
                committed.set(id);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
