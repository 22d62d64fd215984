package io.nightshift.jobs.retention;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What becomes of each backup, and of the WAL.
 *
 * @param verdicts oldest first
 * @param wal one for each system
 */
record RetentionDecision(List<Verdict> verdicts, List<WalDecision> wal) {

    /** @param reasons why it is kept; empty if it expires */
    record Verdict(Candidate backup, List<Reason> reasons) {

        Verdict {
            reasons = List.copyOf(reasons);
        }

        boolean isKept() {
            return !reasons.isEmpty();
        }
    }

    RetentionDecision {
        verdicts = List.copyOf(verdicts);
        wal = List.copyOf(wal);
    }

    List<Candidate> kept() {
        return verdicts.stream().filter(Verdict::isKept).map(Verdict::backup).toList();
    }

    /** In the order in which they may go, newest first: what builds on another goes before it. */
    List<Candidate> expired() {
        List<Candidate> expired = new ArrayList<>(verdicts.stream()
                .filter(verdict -> !verdict.isKept())
                .map(Verdict::backup)
                .toList());
        Collections.reverse(expired);
        return expired;
    }
}
