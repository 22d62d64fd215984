package io.nightshift.infra.restore;

import io.nightshift.infra.incremental.RelationSegment;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which files of the older backups of a chain a restore needs. The newest backup says what there is in the end; of a file of
 * which it has only the changed blocks, the older ones give theirs, back to the one that has it whole.
 */
final class ChainFiles {

    /** Files that no backup so far has whole. */
    private final Set<String> open = new HashSet<>();

    /** @param newest the paths that the manifest of the newest backup lists */
    ChainFiles(Collection<String> newest) {
        newest.stream()
                .filter(RelationSegment::isIncremental)
                .map(RelationSegment::wholePath)
                .forEach(open::add);
    }

    /**
     * The paths that are needed of the backup before, and then of the one before that.
     *
     * @param listed whether its manifest lists a path
     */
    Set<String> ofTheOneBefore(Predicate<String> listed) {
        Set<String> needed = new HashSet<>();
        for (Iterator<String> files = open.iterator(); files.hasNext(); ) {
            String whole = files.next();
            String changed = RelationSegment.incrementalPath(whole);
            if (listed.test(whole)) {
                needed.add(whole);
                files.remove();
            } else if (listed.test(changed)) {
                needed.add(changed);
            } else {
                throw lost(whole);
            }
        }
        return needed;
    }

    /** After the oldest: fails if it has only the changed blocks of a file. */
    void requireAll() {
        open.stream().sorted().findFirst().ifPresent(whole -> {
            throw lost(whole);
        });
    }

    private static NightshiftException lost(String whole) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED,
                "file " + whole + " is in no backup of the chain as a whole: the newest has only blocks of it",
                "restore the backup before this one, and take a full backup");
    }
}
