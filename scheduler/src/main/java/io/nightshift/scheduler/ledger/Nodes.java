package io.nightshift.scheduler.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * The living and the dead among the processes of Nightshift. A node is known to be dead when the operating system has
 * released its lock file in a home that we share, when its row is gone, or when this observer has itself seen its beat
 * unchanged for {@link #SILENCE} of unbroken contact with the control database, by the database's clock. Neither a
 * skewed clock nor a control database that was away can make a healthy node look dead. Thread-safe.
 */
public final class Nodes {

    static final Duration SILENCE = Duration.ofSeconds(20);

    private record Row(String name, String host, String home, long beat, Instant now) {}

    private record Sighting(long beat, Instant since, Instant lastLook) {}

    private final JdbcClient ledger;
    private final NodeLocks locks;
    private final Duration silence;
    /** Between two looks of unbroken contact there may be at most this long. */
    private final Duration contact;

    private final Map<String, Sighting> sightings = new HashMap<>();

    public Nodes(DataSource controlDatabase, NodeLocks locks) {
        this(controlDatabase, locks, SILENCE);
    }

    /** With another patience than {@link #SILENCE}. */
    Nodes(DataSource controlDatabase, NodeLocks locks, Duration silence) {
        ledger = JdbcClient.create(controlDatabase);
        this.locks = locks;
        this.silence = silence;
        this.contact = silence.dividedBy(2);
    }

    /**
     * Enters this process, before it may own anything: whoever is not entered counts as dead. {@code serves} means that it
     * works queued runs of everybody.
     */
    public void enter(NightshiftNode node, boolean serves) {
        ledger.sql("INSERT INTO node (name, host, pid, home, serves) VALUES (:name, :host, :pid, :home, :serves)")
                .param("name", node.name())
                .param("host", node.host())
                .param("pid", node.pid())
                .param("home", node.home().toString())
                .param("serves", serves)
                .update();
    }

    /** Says that this process lives. Whoever was wrongly taken for dead enters again. */
    public void beat(NightshiftNode node, boolean serves) {
        int beaten = ledger.sql("UPDATE node SET beat = beat + 1, beaten_at = clock_timestamp() WHERE name = :name")
                .param("name", node.name())
                .update();
        if (beaten == 0) {
            enter(node, serves);
        }
    }

    public void leave(NightshiftNode node) {
        ledger.sql("DELETE FROM node WHERE name = :name AND NOT EXISTS (SELECT FROM lease WHERE owner = :name)")
                .param("name", node.name())
                .update();
    }

    /** Whether some process works queued runs: it has beaten within the last {@link #SILENCE} and is not known dead. */
    public boolean someoneServes() {
        return ledger
                .sql("SELECT name FROM node WHERE serves AND beaten_at > clock_timestamp() - interval '20 s'")
                .query(String.class)
                .list()
                .stream()
                .anyMatch(name -> !isDead(name));
    }

    /** Whether the process is known to be dead now; false while there is any doubt. */
    public boolean isDead(String name) {
        Row row = find(name);
        return row == null || locks.isReleased(row.host(), row.home(), name) || hasBeenSilent(row);
    }

    /** Removes the rows and lock files of dead nodes that own nothing any more. */
    public void forgetTheDead() {
        ledger
                .sql("SELECT name FROM node WHERE NOT EXISTS (SELECT FROM lease WHERE owner = node.name)")
                .query(String.class)
                .list()
                .stream()
                .filter(this::isDead)
                .forEach(name -> ledger.sql("DELETE FROM node WHERE name = :name")
                        .param("name", name)
                        .update());
        locks.sweep();
    }

    private @Nullable Row find(String name) {
        return ledger.sql("SELECT name, host, home, beat, clock_timestamp() AS now FROM node WHERE name = :name")
                .param("name", name)
                .query((row, number) -> new Row(
                        row.getString("name"),
                        row.getString("host"),
                        row.getString("home"),
                        row.getLong("beat"),
                        row.getTimestamp("now").toInstant()))
                .optional()
                .orElse(null);
    }

    private synchronized boolean hasBeenSilent(Row row) {
        Sighting before = sightings.get(row.name());
        boolean unbroken = before != null
                && before.beat() == row.beat()
                && Duration.between(before.lastLook(), row.now()).compareTo(contact) <= 0;
        Instant since = unbroken ? Objects.requireNonNull(before).since() : row.now();
        sightings.put(row.name(), new Sighting(row.beat(), since, row.now()));
        return Duration.between(since, row.now()).compareTo(silence) >= 0;
    }
}
