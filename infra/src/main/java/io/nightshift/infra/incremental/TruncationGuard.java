package io.nightshift.infra.incremental;

import io.nightshift.infra.incremental.RelationFork.Fork;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps a server from sending blocks where only whole files are right. PostgreSQL 17 and 18 lose rows, or bring deleted ones
 * back, when a relation was truncated between two backups, and never notice when bits of a visibility map are cleared, nor
 * what happens to free space maps. A server sends whole what the manifest of the parent does not list; so these files are left out of what it is shown.
 *
 * @param since what WAL has changed since the parent began
 */
public record TruncationGuard(BlockChanges since) {

    /** Whether the server may be shown this file of the parent's manifest. */
    public boolean mayShow(String path) {
        return RelationSegment.of(path)
                .map(segment -> !isMap(segment) && !since.isTruncated(segment.fork()))
                .orElse(true);
    }

    /** The WAL does not tell all that changes in it. */
    private static boolean isMap(RelationSegment segment) {
        Fork fork = segment.fork().fork();
        return fork == Fork.VISIBILITY_MAP || fork == Fork.FREE_SPACE_MAP;
    }

    /**
     * What is wrong with the files of changed blocks that the server has sent; empty if nothing is. The blocks that the
     * summaries, merged in the order of the WAL, demand must all be there.
     *
     * @param sent by path
     */
    public Optional<String> objection(Map<String, IncrementalHeader> sent) {
        return sent.entrySet().stream()
                .flatMap(file -> objection(file.getKey(), file.getValue()).stream())
                .sorted()
                .findFirst();
    }

    private Optional<String> objection(String path, IncrementalHeader header) {
        RelationSegment segment = RelationSegment.of(path).orElseThrow();
        if (!mayShow(path)) {
            return Optional.of("file " + path + " holds changed blocks only, although "
                    + (isMap(segment)
                            ? "it is a visibility map or a free space map"
                            : "its relation was truncated since the parent"));
        }
        BitSet missing = since.in(segment);
        missing.andNot(header.blocks());
        int first = missing.nextSetBit(0);
        return first >= 0 && first < header.length()
                ? Optional.of("file " + path + " lacks "
                        + missing.get(0, header.length()).cardinality()
                        + " blocks that have changed since the parent, block " + first + " is the first")
                : Optional.empty();
    }
}
