package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Throughput;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Ledger;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Work that a command does itself: its progress is shown, a signal stops it, and the history gets a row for how it ended.
 * What was refused, or asked for wrongly, has not begun and gets none.
 */
record ForegroundWork(NightshiftCommand top, Surroundings surroundings, HistoryEntry entry) {

    @FunctionalInterface
    interface Task<T> {
        T run(Progress progress, Cancellation cancellation);
    }

    /** Shows what was made, and how long that took; says what becomes of it in the history. */
    @FunctionalInterface
    interface Conclusion<T> {
        Ledger.Outcome conclude(T made, Duration took);
    }

    /** @param type what is done, as the command is called */
    static ForegroundWork begin(
            NightshiftCommand top,
            Surroundings surroundings,
            String type,
            String cluster,
            Map<String, Object> settings) {
        return new ForegroundWork(
                top,
                surroundings,
                new HistoryEntry(type, cluster, settings, surroundings.clock().instant()));
    }

    /** Returns the exit status. */
    <T> int run(Task<T> task, Conclusion<T> conclusion) {
        try {
            T made = watched(task);
            Duration took =
                    Duration.between(entry.startedAt(), surroundings.clock().instant());
            Ledger.Outcome outcome = conclusion.conclude(made, took);
            entry.enter(top, surroundings, outcome);
            return outcome.exitStatus();
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.CONFIGURATION && failed.kind() != FailureKind.REFUSED) {
                entry.enter(top, surroundings, HistoryEntry.failed(failed));
            }
            throw failed;
        }
    }

    @SuppressWarnings("try") // the watch is for closing only
    private <T> T watched(Task<T> task) {
        Cancellation cancellation = new Cancellation();
        top.onSignal(() -> cancellation.cancel("stopped by a signal, as Ctrl-C sends it"));
        Progress progress = new Progress();
        try (ProgressWatch watch = new ProgressWatch(top, () -> Optional.of(progress.snapshot()))) {
            return task.run(progress, cancellation);
        }
    }

    /** For the next preview. What cannot be kept was done all the same. */
    static void keep(NightshiftCommand top, Surroundings surroundings, Throughput done) {
        try {
            surroundings.home().throughput().enter(surroundings.clock().instant(), done);
        } catch (NightshiftException failed) {
            top.err().println("nightshift: how long it took is not kept: " + failed.getMessage());
        }
    }
}
