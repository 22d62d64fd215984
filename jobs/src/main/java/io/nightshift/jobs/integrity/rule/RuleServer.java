package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.RunContext;
import io.nightshift.jobs.integrity.CheckSession;
import io.nightshift.jobs.integrity.GiveWay;
import io.nightshift.jobs.integrity.JudgedServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A server on which rules are asked, one after the other, in one session at a time, by a role that can do nothing else. Whoever
 * waits for that session on a node is let through.
 */
final class RuleServer implements AutoCloseable {

    private static final String SERIALIZATION_FAILURE = "40001";
    private static final int ATTEMPTS = 5;
    private static final Duration PAUSE = Duration.ofMillis(250);

    /** A statement may be cancelled for its time this much before it is over. */
    private static final Duration CLOCKS_DIFFER = Duration.ofMillis(50);

    /** Who else is there. */
    enum Kind {
        /** Others work on it too, and may wait for what we hold. */
        SHARED,
        /** Nobody is kept waiting long: nothing is asked but what the schema is. */
        LOOKED_AT,
        /** A restored copy: as old as its backup, and without what backups do not hold. */
        COPY
    }

    /** How its sessions are opened. */
    @FunctionalInterface
    interface Entrance {
        Connection enter(String database) throws SQLException;
    }

    /** What is asked of a session. */
    @FunctionalInterface
    interface Question<T> {
        T ask(RuleSession session) throws SQLException;
    }

    /** An answer, and what of a copy's it cannot have seen. */
    private record Answered<T>(T answer, Optional<String> notCopied) {}

    private final String name;
    private final Kind kind;
    private final Entrance entrance;
    private final Cancellation cancellation;
    private @Nullable RuleSession session;
    private @Nullable GiveWay others;
    private Optional<String> tooMighty = Optional.empty();

    RuleServer(String name, Kind kind, Entrance entrance, Cancellation cancellation) {
        this.name = name;
        this.kind = kind;
        this.entrance = entrance;
        this.cancellation = cancellation;
    }

    static RuleServer of(JudgedServer server, @Nullable RuleLogin login, RunContext run) {
        if (server instanceof JudgedServer.Copy there) {
            return new RuleServer(there.toString(), Kind.COPY, there.copy()::connectToRead, run.cancellation());
        }
        JudgedServer.Node node = (JudgedServer.Node) server;
        return new RuleServer(
                node.toString(),
                Kind.SHARED,
                database -> RuleSession.connect(node.node(), database, run.purpose(), login),
                run.cancellation());
    }

    boolean isCopy() {
        return kind == Kind.COPY;
    }

    /** The present session in that database, or a new one. */
    RuleSession session(String database) throws SQLException, Unanswered {
        RuleSession present = session;
        if (present == null || !present.database().equals(database)) {
            close();
            present = open(database);
        }
        if (tooMighty.isPresent()) {
            throw Unanswered.because(tooMighty.get()
                    + ": a statement of a rule is not asked as one who may do more than read; give the rules a login of their"
                    + " own, username and password in their file");
        }
        return present;
    }

    private RuleSession open(String database) throws SQLException, Unanswered {
        boolean ready = false;
        try {
            RuleSession opened = RuleSession.of(entrance.enter(database), database, cancellation);
            session = opened;
            tooMighty = opened.tooMighty();
            if (kind == Kind.SHARED) {
                others = new GiveWay(CheckSession.of(entrance.enter(database), cancellation));
            }
            ready = true;
            return opened;
        } catch (NightshiftException refused) {
            if (refused.kind() != FailureKind.CONFIGURATION) {
                throw refused;
            }
            throw Unanswered.because(String.valueOf(refused.getMessage()));
        } finally {
            if (!ready) {
                drop();
            }
        }
    }

    /** The rule as this server has its tables. */
    PreparedRule prepare(RuleConfig rule) throws Unanswered {
        try {
            return PreparedRule.of(rule, session(rule.database()));
        } catch (SQLException failed) {
            cancellation.check();
            drop();
            throw Unanswered.because(PreparedRule.message(failed, rule));
        }
    }

    /**
     * Asks in one state of a database, and again when it had to make room.
     *
     * @param until by {@link System#nanoTime}
     */
    <T> T ask(RuleConfig rule, String database, @Nullable TableName table, long until, Question<T> question)
            throws Unanswered {
        for (int attempt = 1; ; attempt++) {
            String reason;
            int process = 0;
            try {
                RuleSession reading = session(database);
                process = reading.process();
                begins(process);
                Answered<T> answered = reading.inOneState(
                        Duration.ofNanos(until - System.nanoTime()),
                        table,
                        () -> new Answered<>(question.ask(reading), isCopy() ? reading.notCopied() : Optional.empty()));
                if (answered.notCopied().isPresent()) {
                    throw Unanswered.because(answered.notCopied().get());
                }
                return answered.answer();
            } catch (SQLException failed) {
                cancellation.check();
                reason = whyAgain(failed, rule, until);
            } finally {
                ends(process);
            }
            if (attempt == ATTEMPTS) {
                throw Unanswered.because(reason + ", " + ATTEMPTS + " times");
            }
            LockSupport.parkNanos(PAUSE.multipliedBy(attempt).toNanos());
        }
    }

    private void begins(int process) throws SQLException {
        if (others != null) {
            others.begins(process);
        }
    }

    private void ends(int process) {
        if (others != null) {
            others.ends(process);
        }
    }

    /** Why the same question may have an answer the next time. */
    private String whyAgain(SQLException failed, RuleConfig rule, long until) throws Unanswered {
        if (SERIALIZATION_FAILURE.equals(failed.getSQLState())) {
            return "cancelled by recovery";
        }
        switch (CheckFailure.of(failed)) {
            case TIME_IS_OVER -> {
                if (System.nanoTime() - until >= -CLOCKS_DIFFER.toNanos()) {
                    throw Unanswered.tooLong("it takes longer than its timeout of "
                            + Durations.print(rule.running().timeout()));
                }
                return "gave way to other sessions that waited for it";
            }
            case CONNECTION_LOST -> {
                drop();
                return "its session was ended";
            }
            default -> throw Unanswered.because(PreparedRule.message(failed, rule));
        }
    }

    /** What is left of a session that failed. */
    private void drop() {
        try {
            close();
        } catch (SQLException gone) {
            session = null;
            others = null;
        }
    }

    @Override
    public void close() throws SQLException {
        RuleSession mine = session;
        GiveWay watching = others;
        session = null;
        others = null;
        try {
            if (watching != null) {
                watching.close();
            }
        } finally {
            if (mine != null) {
                mine.close();
            }
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
