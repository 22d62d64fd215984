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
     * @param note what is to be known of it now, such as why it is slow; null when there is nothing
     */
    public record Snapshot(
            String step,
            long done,
            @Nullable Long total,
            String unit,
            @Nullable String note) {

        public static final Snapshot NONE = new Snapshot("", 0, null, "", null);
    }

    private record Stage(
            String step,
            @Nullable Long total,
            String unit,
            @Nullable String note,
            LongAdder done) {}

    private final AtomicReference<@Nullable Stage> stage = new AtomicReference<>();

    /** Begins a stage of work; the count starts again at 0. */
    public void begin(String step, @Nullable Long total, String unit) {
        stage.set(new Stage(step, total, unit, null, new LongAdder()));
    }

    /** Corrects the total of the present stage, when it becomes known. */
    public void expect(long total) {
        stage.updateAndGet(
                now -> now == null ? null : new Stage(now.step(), total, now.unit(), now.note(), now.done()));
    }

    /** Says something of the present stage, until something else is said or the next stage begins; null takes it back. */
    public void note(@Nullable String note) {
        stage.updateAndGet(
                now -> now == null ? null : new Stage(now.step(), now.total(), now.unit(), note, now.done()));
    }

    public void advance(long amount) {
        Stage now = stage.get();
        if (now != null) {
            now.done().add(amount);
        }
    }

    /** Nothing is under way any more, until the next stage begins. */
    public void end() {
        stage.set(null);
    }

    public Snapshot snapshot() {
        Stage now = stage.get();
        return now == null
                ? Snapshot.NONE
                : new Snapshot(now.step(), now.done().sum(), now.total(), now.unit(), now.note());
    }
}
