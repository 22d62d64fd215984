package io.nightshift.jobs.health;

import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** What the restore tests of a cluster's backups mean for its operator. */
final class ProofState {

    static final String KEY = "health/restore-proof/";

    private ProofState() {}

    /** Empty if the newest test found nothing wrong, and not too long ago. */
    static Optional<Finding> of(Proofs proofs, Instant now, String cluster) {
        String test = "nightshift run restore-test --cluster " + cluster;
        Proof refuted = proofs.refuted();
        Proof proven = proofs.proven();
        if (refuted != null) {
            return finding(
                    Severity.CRITICAL,
                    cluster,
                    "the restore test of backup " + refuted.label() + " at " + refuted.at() + " failed: "
                            + refuted.reason().lines().findFirst().orElse(""),
                    proven == null
                            ? "no backup was ever proven: take a new full backup now, then " + test
                            : "backup " + proven.label() + " was proven at " + proven.at()
                                    + ": keep it, take a new full backup now, then " + test);
        }
        if (proven == null) {
            return finding(Severity.WARNING, cluster, "no backup was ever proven by restoring it", test);
        }
        if (proofs.isStale(now)) {
            return finding(
                    Severity.WARNING,
                    cluster,
                    "the last proof is " + Duration.between(proven.at(), now).toDays() + " days old, of backup "
                            + proven.label(),
                    test + ", or see why its job does not run");
        }
        return Optional.empty();
    }

    private static Optional<Finding> finding(Severity severity, String cluster, String detail, String remedy) {
        return Optional.of(new Finding(KEY + cluster, severity, "cluster " + cluster, detail, remedy));
    }
}
