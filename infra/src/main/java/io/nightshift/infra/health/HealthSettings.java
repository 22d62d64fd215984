package io.nightshift.infra.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** From where on what is seen is told; every default and limit of the health checks. */
public record HealthSettings(
        @Describe("names of checks that are left out; nightshift health says which, so that nobody takes them for fine")
        List<String> except,

        @Describe("used of the connections that ordinary roles may open, in percent")
        NumberLimits connections,

        @Describe("age of the oldest transaction at work; higher where long reports or dumps are normal")
        DurationLimits longTransaction,

        @Describe("how long a session keeps a transaction open and does nothing; it holds locks and dead tuples")
        DurationLimits idleInTransaction,

        @Describe("how long a session waits for a lock") DurationLimits blocked,

        @Describe("age of the oldest prepared transaction; it holds its locks until somebody ends it")
        DurationLimits preparedTransaction,

        @Describe("WAL of the primary that a standby has not replayed; raise it for standbys far away")
        SizeLimits replicationLag,

        @Describe("how long after the primary's commit a streaming standby replays it")
        DurationLimits replicationDelay,

        @Describe(
                "application names of standbys that replay late on purpose (recovery_min_apply_delay); how late is not"
                        + " judged: the primary cannot see their setting")
        List<String> delayedStandbys,

        @Describe("how long a standby's WAL receiver has heard nothing; told only beyond its wal_receiver_timeout")
        DurationLimits receiverSilent,

        @Describe("age of a database's oldest transaction or multixact, in percent of autovacuum_freeze_max_age; at 100"
                + " vacuums against wraparound begin; vacuum_failsafe_age is critical whatever this says")
        NumberLimits freezeAge,

        @Describe("transactions since the one that keeps vacuum from removing dead tuples")
        NumberLimits xminHorizon,

        @Describe("WAL that a replication slot retains; keep it well below the free space of pg_wal")
        SizeLimits slotRetained,

        @Describe(
                "how long a replication slot may be unused; before PostgreSQL 17 nobody knows, and any unused one is told; a slot"
                        + " on a standby may wait there for a failover and is not judged by this")
        Duration slotInactive,

        @Describe("how long a WAL segment waits while archiving fails")
        DurationLimits archiveFailing,

        @Describe("WAL segments that wait for archiving") NumberLimits archiveBacklog,

        @Describe("size of pg_wal in percent of max_wal_size or wal_keep_size, whichever is larger")
        NumberLimits walDirectory,

        @Describe("a smaller pg_wal is never told") DataSize walDirectoryFloor,

        @Describe(
                "checkpoints that were requested, by WAL or by hand, in percent of all; of about a day, or since the statistics began")
        long requestedCheckpoints,

        @Describe("fewer requested checkpoints are never told")
        long requestedCheckpointsFloor,

        @Describe(
                "blocks that a database found in shared buffers, in percent, below which it is told; of about a day, or since the statistics began")
        long cacheHitRatio,

        @Describe("a database that has read fewer blocks is never judged by its cache hit ratio")
        long cacheReadsFloor,

        @Describe("values of a sequence, or of the column that it fills, that are used up, in percent")
        NumberLimits sequences,

        @Describe("dead tuples of a table in percent of all; autovacuum comes at about 17 where nobody has tuned it")
        NumberLimits deadTuples,

        @Describe("a table with fewer dead tuples, or fewer rows, is never told")
        long tuplesFloor,

        @Describe(
                "temporary files that a database writes in a day; of the last day, or on average since the statistics began")
        DataSize tempFilesPerDay,

        @Describe("deadlocks of a database in a day; of the last day, or on average since the statistics began")
        long deadlocksPerDay,

        @Describe("how long a crash, a restore, or whatever else has emptied the statistics, is told")
        Duration statisticsLost,

        @Describe("how far a server's clock is from this machine's")
        DurationLimits clock,

        @Describe("how long before the end of its support a major version is told")
        Duration endOfLife,

        @Describe("how long one query may take; what takes longer is not evaluated")
        Duration queryLimit,

        @Describe("how long a query may wait for a lock") Duration lockLimit,

        @Describe("how long one node may take with all its checks; one that hangs does not hold up the others")
        Duration nodeLimit) {

    private static final Duration SHORTEST = Duration.ofMillis(10);

    public HealthSettings {
        except = List.copyOf(except);
        delayedStandbys = List.copyOf(delayedStandbys);
        Set<String> names = HealthChecks.names();
        var refusals = new Refusals()
                .when(
                        cacheHitRatio < 0 || cacheHitRatio > 100,
                        "cache-hit-ratio is " + cacheHitRatio + " percent; accepted: 0 to 100")
                .when(
                        requestedCheckpoints < 0,
                        "requested-checkpoints is " + requestedCheckpoints + " percent; accepted: 0 or more")
                .when(queryLimit.compareTo(SHORTEST) < 0, "query-limit is shorter than 10ms")
                .when(lockLimit.compareTo(SHORTEST) < 0, "lock-limit is shorter than 10ms")
                .when(nodeLimit.compareTo(queryLimit) < 0, "node-limit is shorter than query-limit");
        except.forEach(name -> refusals.when(
                !names.contains(name), "except: there is no check " + name + "; checks: " + String.join(", ", names)));
        refusals.throwIfAny();
    }

    public static HealthSettings defaults() {
        return new HealthSettings(
                List.of(),
                new NumberLimits(80, 95),
                new DurationLimits(Duration.ofHours(1), Duration.ofHours(6)),
                new DurationLimits(Duration.ofMinutes(5), Duration.ofHours(1)),
                new DurationLimits(Duration.ofMinutes(1), Duration.ofMinutes(10)),
                new DurationLimits(Duration.ofMinutes(10), Duration.ofHours(2)),
                new SizeLimits(DataSize.ofMegabytes(128), DataSize.ofMegabytes(2048)),
                new DurationLimits(Duration.ofMinutes(1), Duration.ofMinutes(15)),
                List.of(),
                new DurationLimits(Duration.ofMinutes(1), Duration.ofMinutes(5)),
                new NumberLimits(200, 500),
                new NumberLimits(10_000_000, 100_000_000),
                new SizeLimits(DataSize.ofMegabytes(4 << 10), DataSize.ofMegabytes(32 << 10)),
                Duration.ofMinutes(15),
                new DurationLimits(Duration.ofMinutes(1), Duration.ofMinutes(30)),
                new NumberLimits(20, 200),
                new NumberLimits(300, 1000),
                DataSize.ofMegabytes(2 << 10),
                50,
                100,
                90,
                100_000,
                new NumberLimits(80, 95),
                new NumberLimits(30, 60),
                50_000,
                DataSize.ofMegabytes(50 << 10),
                10,
                Duration.ofDays(1),
                new DurationLimits(Duration.ofSeconds(5), Duration.ofMinutes(1)),
                Duration.ofDays(180),
                Duration.ofSeconds(5),
                Duration.ofMillis(500),
                Duration.ofMinutes(1));
    }
}
