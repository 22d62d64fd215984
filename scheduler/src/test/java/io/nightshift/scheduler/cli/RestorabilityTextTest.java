package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.ProofNote;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.Restorability.Window;
import io.nightshift.infra.run.RunId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RestorabilityTextTest {

    private static final Instant NOW = Instant.parse("2026-11-28T08:00:00Z");
    private static final BackupLabel LABEL = BackupLabel.parse("20261120T010000Z-full-r8f3");
    private static final Window WINDOW = new Window(
            new Timeline(1),
            Lsn.parse("0/3000000"),
            Instant.parse("2026-11-20T01:10:00Z"),
            Lsn.parse("0/9000000"),
            Instant.parse("2026-11-28T07:59:00Z"));
    private static final String RESTORABLE =
            "cluster chanuka: restorable from 2026-11-20 01:10:00 UTC to the last transaction archived by 2026-11-28 07:59:00 UTC";

    private static Proof proof(Instant at, @Nullable Long lossBytes, String... findings) {
        var note = new ProofNote(
                ProofNote.FORMAT_VERSION,
                LABEL,
                new RunId(7),
                at,
                1,
                252.0,
                Lsn.parse("0/8000000"),
                at,
                90.5,
                lossBytes,
                120,
                240,
                0,
                0,
                true,
                List.of(),
                findings.length,
                List.of(findings));
        return new Proof(LABEL, at, findings.length == 0, note);
    }

    private static String line(@Nullable Proof proven, @Nullable Proof refuted) {
        var restorability = new Restorability("chanuka", List.of(WINDOW), List.of(), new Proofs(proven, refuted));
        return RestorabilityText.line(restorability, NOW);
    }

    @Test
    void says_when_it_was_last_proven_how_long_it_took_and_what_would_be_lost() {
        Instant tonight = Instant.parse("2026-11-28T02:00:00Z");

        assertThat(line(proof(tonight, 4096L), null))
                .isEqualTo(RESTORABLE + ", last proven by doing it at 2026-11-28 02:00:00 UTC, took 4:12 min,"
                        + " would lose at most 1:30 min");
        assertThat(line(proof(tonight, 0L), null)).endsWith(", took 4:12 min, would lose nothing");
    }

    @Test
    void says_when_it_was_never_proven_or_too_long_ago_or_failed_since() {
        Instant longAgo = Instant.parse("2026-11-18T08:00:00Z");

        assertThat(line(null, null)).isEqualTo(RESTORABLE + ", never proven by doing it");
        assertThat(line(proof(longAgo, null), null))
                .isEqualTo(RESTORABLE + ", last proven by doing it at 2026-11-18 08:00:00 UTC (10 d ago),"
                        + " took 4:12 min, would lose at most 1:30 min");
        assertThat(line(null, proof(NOW, null, "chanuka.public.votes: block 0: torn")))
                .isEqualTo(RESTORABLE + ", never proven by doing it; the restore test of " + LABEL
                        + " at 2026-11-28 08:00:00 UTC failed: chanuka.public.votes: block 0: torn");
    }
}
