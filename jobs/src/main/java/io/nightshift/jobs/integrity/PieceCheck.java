package io.nightshift.jobs.integrity;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Looks at one piece after the other, in one session at a time. What keeps it from one of them is in its outcome. */
final class PieceCheck implements AutoCloseable {

    private static final String SERIALIZATION_FAILURE = "40001";
    private static final String INVALID_PARAMETER_VALUE = "22023";
    private static final String INTERNAL_ERROR = "XX000";

    /** So often a piece gives way, or is cut off by recovery, before it is left out. */
    private static final int ATTEMPTS = 8;

    /** So often all of a piece is looked at while none of what is seen is still there at the second look. */
    private static final int LOOKS = 3;

    /** As long as one snapshot of ours may keep vacuum of the primary from old rows. */
    private static final Duration ON_PRIMARY = Duration.ofMinutes(5);

    private static final Duration PAUSE = Duration.ofMillis(250);

    /** What a damaged index says is not believed. */
    private static final String WITHOUT_INDEXES =
            "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off";

    private static final String WITH_INDEXES =
            "SET enable_indexscan = on; SET enable_indexonlyscan = on; SET enable_bitmapscan = on";

    private final JudgedServer server;
    private final IntegritySettings settings;
    private final RunContext run;
    private final @Nullable GiveWay others;
    private final BooleanSupplier isOver;
    private @Nullable CheckSession session;
    private String database = "";
    private boolean reads;
    private int process;
    private long asked;
    private Duration limit = Duration.ZERO;
    private boolean asking;

    /**
     * @param others who may wait for us; null where nobody else is
     * @param isOver whether there is no time for another part of a piece that takes longer than it should
     */
    PieceCheck(
            JudgedServer server,
            IntegritySettings settings,
            RunContext run,
            @Nullable GiveWay others,
            BooleanSupplier isOver) {
        this.server = server;
        this.settings = settings;
        this.run = run;
        this.others = others;
        this.isOver = isOver;
    }

    /** Whether a server was lost in the middle of a look: what was looked at may have ended it. */
    boolean wasLooking() {
        return asking;
    }

    Outcome look(Piece piece) {
        String gap = piece.target().gap();
        if (gap != null) {
            return Outcome.notEvaluated(gap);
        }
        for (int attempt = 1; ; attempt++) {
            SQLException failure;
            asking = false;
            asked = System.nanoTime();
            limit = limit(piece);
            try {
                begin(piece.target());
                return confirmed(piece);
            } catch (SQLException e) {
                failure = e;
            } catch (NightshiftException closed) {
                if (closed.kind() != FailureKind.CONFIGURATION) {
                    throw closed;
                }
                return Outcome.notEvaluated(String.valueOf(closed.getMessage()));
            } finally {
                end();
            }
            run.cancellation().check();
            boolean conflicts = SERIALIZATION_FAILURE.equals(failure.getSQLState());
            boolean cut = CheckFailure.of(failure) == CheckFailure.TIME_IS_OVER;
            // One code for both; whoever is cut off before its time had to make room.
            boolean tooLong = cut && System.nanoTime() - asked >= limit.toNanos();
            boolean gaveWay = cut && !tooLong;
            Optional<List<Piece>> halves = piece.halves();
            if ((conflicts || tooLong) && halves.isPresent()) {
                if (isOver.getAsBoolean()) {
                    return Outcome.notEvaluated("it takes longer than is left of time-limit; it comes first next time");
                }
                return look(halves.get().get(0)).with(look(halves.get().get(1)));
            }
            if (!gaveWay && !conflicts) {
                return judged(piece, failure);
            }
            if (attempt == ATTEMPTS) {
                return Outcome.notEvaluated(
                        gaveWay
                                ? "gave way to other sessions that waited for it, " + ATTEMPTS + " times"
                                : "cancelled by recovery, " + ATTEMPTS + " times");
            }
            // Whoever waited for us is let through.
            LockSupport.parkNanos(PAUSE.multipliedBy(attempt).toNanos());
        }
    }

    /** Whoever waits for us is seen from now on. */
    private void begin(Target target) throws SQLException {
        String wanted = target.database();
        boolean ofRows = !target.check().looksForDamage();
        if (session == null || session.isClosed() || !wanted.equals(database) || ofRows != reads) {
            close();
            session =
                    CheckSession.of(ofRows ? server.connectToRead(wanted) : server.connect(wanted), run.cancellation());
            database = wanted;
            reads = ofRows;
            process = session.process();
        }
        if (others != null) {
            others.begins(process);
        }
    }

    private void end() {
        if (others != null) {
            others.ends(process);
        }
    }

    private Duration limit(Piece piece) {
        if (piece.target().check().cut() != Check.Cut.WHOLE) {
            return settings.chunkLimit();
        }
        return isCutShort() ? ON_PRIMARY : settings.indexLimit();
    }

    private boolean isCutShort() {
        return server.isPrimary() && settings.indexLimit().compareTo(ON_PRIMARY) > 0;
    }

    private String tooLong(Piece piece) {
        if (piece.target().check().cut() != Check.Cut.WHOLE) {
            return "a block takes longer than chunk-limit " + Durations.print(settings.chunkLimit());
        }
        return isCutShort()
                ? "takes longer than " + Durations.print(ON_PRIMARY)
                        + ", and its snapshot would keep old rows of the primary for longer: it needs a standby, or a restored copy"
                : "takes longer than index-limit " + Durations.print(settings.indexLimit());
    }

    /** A hit counts when another look, at what is there then and without indexes, sees it too. */
    private Outcome confirmed(Piece piece) throws SQLException {
        CheckSession reading = Objects.requireNonNull(session);
        boolean ofRows = !piece.target().check().looksForDamage();
        String prepared = String.join(
                ";",
                CheckSession.limiting(limit),
                "DEALLOCATE ALL",
                ofRows && piece.target().check() == Check.UNIQUE ? WITHOUT_INDEXES : WITH_INDEXES,
                "PREPARE nightshift_look" + piece.parameterTypes() + " AS "
                        + piece.target().query(),
                "");
        Outcome first = ask(reading, prepared, piece.parameters());
        if (first.count() == 0 || !ofRows) {
            return first;
        }
        if (piece.target().check().cut() != Check.Cut.ROWS) {
            return ask(reading, piece.parameters());
        }
        Outcome sure = sure(reading, piece, first);
        for (int look = 1; look < LOOKS && sure.count() == 0 && first.count() > 0; look++) {
            reading.limit(limit);
            reading.execute(WITH_INDEXES);
            reading.execute("DISCARD PLANS");
            first = ask(reading, piece.parameters());
            sure = sure(reading, piece, first);
        }
        return sure.count() == 0 && first.count() > 0
                ? Outcome.notEvaluated("what was seen had another place when it was looked at again, " + LOOKS
                        + " times: these rows are written all the time")
                : sure;
    }

    /** Of those that are told: each by itself, so that a large parent is read for these few and not for a chunk. */
    private Outcome sure(CheckSession reading, Piece piece, Outcome first) throws SQLException {
        List<Outcome.Hit> still = new ArrayList<>();
        for (Outcome.Hit hit : first.hits()) {
            still.addAll(ask(reading, piece.parametersOf(hit)).hits());
        }
        limit = server.isPrimary() ? ON_PRIMARY : settings.indexLimit();
        reading.limit(limit);
        reading.execute(WITHOUT_INDEXES);
        reading.execute("DISCARD PLANS");
        List<Outcome.Hit> sure = new ArrayList<>();
        for (Outcome.Hit hit : still) {
            sure.addAll(withoutIndexes(reading, piece, hit));
        }
        limit = limit(piece);
        return sure.isEmpty()
                ? Outcome.PASS
                : new Outcome(first.count() - first.hits().size() + sure.size(), sure, false, null);
    }

    /** What takes too long without indexes has been seen twice through them. */
    private List<Outcome.Hit> withoutIndexes(CheckSession reading, Piece piece, Outcome.Hit hit) throws SQLException {
        try {
            return ask(reading, piece.parametersOf(hit)).hits();
        } catch (SQLException e) {
            if (CheckFailure.of(e) != CheckFailure.TIME_IS_OVER || System.nanoTime() - asked < limit.toNanos()) {
                throw e;
            }
            return List.of(new Outcome.Hit(
                    hit.row(),
                    hit.evidence() + " (seen through an index: without it one look takes longer than "
                            + Durations.print(limit) + ")"));
        }
    }

    private Outcome ask(CheckSession reading, String parameters) throws SQLException {
        return ask(reading, "", parameters);
    }

    private Outcome ask(CheckSession reading, String before, String parameters) throws SQLException {
        List<Outcome.Hit> hits = new ArrayList<>();
        long count = 0;
        asking = true;
        asked = System.nanoTime();
        for (List<@Nullable String> row : rows(reading, before, "EXECUTE nightshift_look" + parameters)) {
            count = Long.parseLong(Objects.requireNonNull(row.get(2)));
            if (count > 0) {
                hits.add(new Outcome.Hit(
                        Objects.requireNonNullElse(row.get(0), ""), Objects.requireNonNullElse(row.get(1), "")));
            }
        }
        asking = false;
        return new Outcome(count, hits, false, null);
    }

    /**
     * Functions of the schema are called for rows: they cannot write, and whatever they set is undone. A transaction that only
     * reads cannot be made another one once it has looked at something.
     */
    private List<List<@Nullable String>> rows(CheckSession reading, String before, String question)
            throws SQLException {
        if (!reads) {
            return reading.rows(before + question);
        }
        try {
            return reading.rows(before + "BEGIN TRANSACTION READ ONLY;" + question + ";ROLLBACK");
        } catch (SQLException failed) {
            try {
                reading.execute("ROLLBACK");
            } catch (SQLException lost) {
                failed.addSuppressed(lost);
            }
            throw failed;
        }
    }

    /** What a failure of the server means. */
    private Outcome judged(Piece piece, SQLException failure) {
        String message = CheckFailure.message(failure);
        String state = String.valueOf(failure.getSQLState());
        return switch (CheckFailure.of(failure)) {
            case CONNECTION_LOST ->
                throw SqlStates.failure(server + " was lost while it looked at " + piece.target(), failure);
            case TIME_IS_OVER -> Outcome.notEvaluated(tooLong(piece));
            case DAMAGE -> {
                asking = false;
                if (!isThere(piece)) {
                    yield Outcome.notEvaluated("it was dropped meanwhile");
                }
                // A function of the schema that fails says so, too.
                yield state.equals(INTERNAL_ERROR) && !piece.target().check().looksForDamage()
                        ? Outcome.notEvaluated(message)
                        : Outcome.damage(message);
            }
            case NOT_JUDGED -> {
                if (state.equals(SqlStates.LOCK_NOT_AVAILABLE)) {
                    yield Outcome.notEvaluated("it is locked by another session");
                }
                boolean isRefused = state.equals(INVALID_PARAMETER_VALUE)
                        && piece.target().check().cut() == Check.Cut.BLOCKS;
                if (isRefused && isBehindTheEnd(piece)) {
                    yield Outcome.PASS;
                }
                // amcheck refuses what is partly behind the end, where a table was truncated.
                yield isRefused && piece.to() != null
                        ? look(new Piece(piece.target(), piece.from(), null, piece.blocks()))
                        : Outcome.notEvaluated(isThere(piece) ? message : "it was dropped meanwhile");
            }
        };
    }

    private boolean isBehindTheEnd(Piece piece) {
        try {
            return Objects.requireNonNull(session)
                    .text("SELECT oid FROM pg_class WHERE oid = "
                            + piece.target().relation()
                            + " AND pg_relation_size(oid) <= " + piece.from()
                            + " * current_setting('block_size')::bigint")
                    .isPresent();
        } catch (SQLException e) {
            return false;
        }
    }

    private boolean isThere(Piece piece) {
        try {
            return session == null
                    || session.text("SELECT oid FROM pg_class WHERE oid = "
                                    + piece.target().relation())
                            .isPresent();
        } catch (SQLException e) {
            return true;
        }
    }

    @Override
    public void close() throws SQLException {
        if (session != null) {
            session.close();
            session = null;
            process = 0;
        }
    }
}
