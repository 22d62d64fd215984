package io.nightshift.infra.sample;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How much of the Chanuka workload to run. It ends at the first of its limits, or, without any, when it is stopped.
 *
 * @param connections how many transactions run at once
 * @param seed the same seed, number of transactions and kinds choose the same transactions, however many connections
 *     there are
 * @param kinds which transactions, in the proportions of the whole workload
 * @param transactions how many altogether; null for no limit
 * @param duration for how long; null for no limit
 * @param transactionsPerSecond when each transaction is due, whatever became of those before it (an open loop); null for
 *     as many as possible (a closed loop)
 * @param commitLog whether each write leaves a row in {@code chanuka.commit_log} and its WAL locations are kept
 */
public record WorkloadPlan(
        int connections,
        long seed,
        List<ChanukaTransaction> kinds,
        @Nullable Long transactions,
        @Nullable Duration duration,
        @Nullable Double transactionsPerSecond,
        boolean commitLog) {

    public WorkloadPlan {
        require(connections > 0, "connections", connections);
        require(!kinds.isEmpty(), "kinds", kinds);
        require(transactions == null || transactions > 0, "transactions", transactions);
        require(duration == null || duration.compareTo(Duration.ZERO) > 0, "duration", duration);
        require(
                transactionsPerSecond == null || transactionsPerSecond > 0,
                "transactions per second",
                transactionsPerSecond);
        kinds = List.copyOf(EnumSet.copyOf(kinds));
    }

    /** Everything, as fast as two connections can, until stopped. */
    public static WorkloadPlan everything() {
        return new WorkloadPlan(2, 1, List.of(ChanukaTransaction.values()), null, null, null, false);
    }

    /** Only what needs no more than SELECT. */
    public static WorkloadPlan reads() {
        return everything().kinds(ChanukaTransaction.reads());
    }

    public WorkloadPlan connections(int number) {
        return new WorkloadPlan(number, seed, kinds, transactions, duration, transactionsPerSecond, commitLog);
    }

    public WorkloadPlan seed(long number) {
        return new WorkloadPlan(connections, number, kinds, transactions, duration, transactionsPerSecond, commitLog);
    }

    public WorkloadPlan kinds(Collection<ChanukaTransaction> some) {
        return new WorkloadPlan(
                connections, seed, List.copyOf(some), transactions, duration, transactionsPerSecond, commitLog);
    }

    public WorkloadPlan transactions(long number) {
        return new WorkloadPlan(connections, seed, kinds, number, duration, transactionsPerSecond, commitLog);
    }

    public WorkloadPlan duration(Duration limit) {
        return new WorkloadPlan(connections, seed, kinds, transactions, limit, transactionsPerSecond, commitLog);
    }

    public WorkloadPlan transactionsPerSecond(double rate) {
        return new WorkloadPlan(connections, seed, kinds, transactions, duration, rate, commitLog);
    }

    public WorkloadPlan withCommitLog() {
        return new WorkloadPlan(connections, seed, kinds, transactions, duration, transactionsPerSecond, true);
    }

    private static void require(boolean right, String setting, @Nullable Object value) {
        if (!right) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    setting + " of the Chanuka workload is " + value,
                    "more than none is accepted");
        }
    }
}
