package io.nightshift.jobs.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ProofStateTest {

    private static final Instant NOW = Instant.parse("2026-11-28T08:00:00Z");
    private static final BackupLabel LABEL = BackupLabel.parse("20261120T010000Z-full-r8f3");

    private static Proof proof(boolean holds, Duration ago) {
        return new Proof(LABEL, NOW.minus(ago), holds, null);
    }

    @Test
    void a_recent_proof_is_no_finding() {
        assertThat(ProofState.of(new Proofs(proof(true, Duration.ofDays(8)), null), NOW, "chanuka"))
                .isEmpty();
    }

    @Test
    void backups_that_were_never_proven_are_a_warning() {
        assertThat(ProofState.of(new Proofs(null, null), NOW, "chanuka"))
                .hasValue(new Finding(
                        "health/restore-proof/chanuka",
                        Severity.WARNING,
                        "cluster chanuka",
                        "no backup was ever proven by restoring it",
                        "nightshift run restore-test --cluster chanuka"));
    }

    @Test
    void an_old_proof_is_a_warning() {
        var finding = ProofState.of(new Proofs(proof(true, Duration.ofHours(8 * 24 + 1)), null), NOW, "chanuka");

        assertThat(finding).map(Finding::severity).hasValue(Severity.WARNING);
        assertThat(finding).map(Finding::detail).hasValue("the last proof is 8 days old, of backup " + LABEL);
    }

    @Test
    void a_failed_test_is_critical_and_names_what_was_proven_before() {
        var proofs = new Proofs(proof(true, Duration.ofDays(2)), proof(false, Duration.ofHours(3)));

        var finding = ProofState.of(proofs, NOW, "chanuka");

        assertThat(finding).map(Finding::severity).hasValue(Severity.CRITICAL);
        assertThat(finding)
                .map(Finding::detail)
                .hasValue("the restore test of backup " + LABEL
                        + " at 2026-11-28T05:00:00Z failed: its note is not readable");
        assertThat(finding)
                .map(Finding::remedy)
                .hasValue(
                        "backup " + LABEL + " was proven at 2026-11-26T08:00:00Z: keep it, take a new full backup now,"
                                + " then nightshift run restore-test --cluster chanuka");
    }
}
