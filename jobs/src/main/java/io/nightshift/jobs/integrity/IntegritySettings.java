package io.nightshift.jobs.integrity;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;
import java.util.List;

/** Where integrity is validated, how long and how much at a time; every default and limit. */
public record IntegritySettings(
        @Describe(
                "cheapest takes a restored copy if a restore test keeps one, else a standby, else the primary; a copy proves the backup, not the nodes")
        Where where,

        @Describe("how long it may take, what was covered longest ago first; what is not reached is not evaluated")
        Duration timeLimit,

        @Describe("how many chunks are worked at the same time, each in a session of its own")
        int parallel,

        @Describe("how much of a table is read as one chunk")
        DataSize chunkSize,

        @Describe("how long one chunk may take; one that takes longer is halved")
        Duration chunkLimit,

        @Describe(
                "how long one index may take, which cannot be cut; on the primary 5m at most, whose old rows it keeps meanwhile")
        Duration indexLimit,

        @Describe(
                "whether indexes are also looked at across their pages, under a lock that stops writing for as long as one takes; not on standbys")
        boolean deep,

        @Describe(
                "within which time all pages of each node are looked at, a part of them each time, slowly, whatever server is judged; 0s: not at all")
        Duration everyNodeWithin,

        @Describe(
                "what is not looked for: heap, btree, gin, open, unique, foreign-key, check-constraint, domain, partition-bound, exclusion, not-null")
        List<Check> except,

        SchemaSettings schema) {

    /** Whose bytes are judged. */
    public enum Where {
        CHEAPEST,
        STANDBY,
        PRIMARY
    }

    public IntegritySettings {
        except = List.copyOf(except);
        new Refusals()
                .when(isShort(timeLimit), "time-limit is shorter than 1s")
                .when(parallel < 1 || parallel > 16, "parallel is " + parallel + ", not between 1 and 16")
                .when(chunkSize.bytes() < Piece.BLOCK, "chunk-size is smaller than a block of 8kB")
                .when(isShort(chunkLimit), "chunk-limit is shorter than 1s")
                .when(isShort(indexLimit), "index-limit is shorter than 1s")
                .when(
                        !everyNodeWithin.isZero() && everyNodeWithin.compareTo(Duration.ofDays(1)) < 0,
                        "every-node-within is shorter than 1d, and not 0s")
                .throwIfAny();
    }

    static IntegritySettings defaults() {
        return new IntegritySettings(
                Where.CHEAPEST,
                Duration.ofHours(2),
                2,
                new DataSize(256L << 20),
                Duration.ofSeconds(5),
                Duration.ofMinutes(30),
                false,
                Duration.ofDays(14),
                List.of(),
                SchemaSettings.defaults());
    }

    /** The same where a look may take so long, whatever it looks at: on a copy that nobody else uses. */
    IntegritySettings with(Duration limit) {
        return new IntegritySettings(
                where, timeLimit, parallel, chunkSize, limit, limit, deep, everyNodeWithin, except, schema);
    }

    private static boolean isShort(Duration limit) {
        return limit.compareTo(Duration.ofSeconds(1)) < 0;
    }
}
