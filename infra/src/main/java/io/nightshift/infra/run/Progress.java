package io.nightshift.infra.run;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** How far a step has come. Thread-safe: workers advance it, watchers take snapshots. */
public final class Progress {

    /**
     * A moment of a step.
     *
     * @param total how much there is to do; null when unknown
     * @param unit {@code bytes}, {@code rows}, {@code files}
     * @param rows how many rows that is; null where nobody counts them
     * @param note what is to be known of it now, such as why it is slow; null when there is nothing
     */
    public record Snapshot(
            String step,
            long done,
            @Nullable Long total,
            String unit,
            @Nullable Rows rows,
            @Nullable String note) {

        public static final Snapshot NONE = new Snapshot("", 0, null, "", null, null);
    }

    /**
     * Rows that were looked at.
     *
     * @param total about as many as there are
     */
    public record Rows(long done, long total) {}

    private record Stage(
            String step,
            @Nullable Long total,
            String unit,
            @Nullable Long rows,
            @Nullable String note,
            LongAdder done,
            LongAdder rowsDone) {

        Stage(String step, @Nullable Long total, String unit) {
            this(step, total, unit, null, null, new LongAdder(), new LongAdder());
        }

        Stage expecting(@Nullable Long others) {
            return new Stage(step, others, unit, rows, note, done, rowsDone);
        }

        Stage expectingRows(long others) {
            return new Stage(step, total, unit, others, note, done, rowsDone);
        }

        Stage noting(@Nullable String other) {
            return new Stage(step, total, unit, rows, other, done, rowsDone);
        }

        Snapshot snapshot() {
            return new Snapshot(
                    step, done.sum(), total, unit, rows == null ? null : new Rows(rowsDone.sum(), rows), note);
        }
    }

    private final AtomicReference<@Nullable Stage> stage = new AtomicReference<>();

    /** Begins a stage of work; the count starts again at 0. */
    public void begin(String step, @Nullable Long total, String unit) {
        stage.set(new Stage(step, total, unit));
    }

    /** Corrects the total of the present stage, when it becomes known. */
    public void expect(long total) {
        stage.updateAndGet(now -> now == null ? null : now.expecting(total));
    }

    /** In the present stage rows are counted, too. */
    public void expectRows(long total) {
        stage.updateAndGet(now -> now == null ? null : now.expectingRows(total));
    }

    /** Says something of the present stage, until something else is said or the next stage begins; null takes it back. */
    public void note(@Nullable String note) {
        stage.updateAndGet(now -> now == null ? null : now.noting(note));
    }

    public void advance(long amount) {
        advance(amount, 0);
    }

    public void advance(long amount, long rows) {
        Stage now = stage.get();
        if (now != null) {
            now.done().add(amount);
            now.rowsDone().add(rows);
        }
    }

    /** Nothing is under way any more, until the next stage begins. */
    public void end() {
        stage.set(null);
    }

    public Snapshot snapshot() {
        Stage now = stage.get();
        return now == null ? Snapshot.NONE : now.snapshot();
    }
}
