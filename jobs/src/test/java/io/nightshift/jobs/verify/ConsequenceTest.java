package io.nightshift.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.Restorability.Window;
import io.nightshift.infra.wal.WalLineage;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** After a failover at 0/500000. */
class ConsequenceTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final Timeline SECOND = new Timeline(2);
    private static final Instant TAKEN = Instant.parse("2026-11-22T01:00:00Z");

    private static String ofWal(WalRange lost) {
        Window reached = new Window(SECOND, Lsn.parse("0/100000"), TAKEN, Lsn.parse("0/300000"), TAKEN.plusSeconds(60));
        Window next = new Window(
                SECOND, Lsn.parse("0/900000"), TAKEN.plusSeconds(900), Lsn.parse("0/A00000"), TAKEN.plusSeconds(960));
        var restorable = new Restorability("chanuka", List.of(reached, next), List.of(), new Proofs(null, null));
        WalLineage lineage = WalLineage.of(SECOND, "1\t0/500000\tno reason\n".getBytes(StandardCharsets.US_ASCII));
        return new Consequence(List.of(), Optional.of(restorable), Optional.of(lineage)).ofWal(lost);
    }

    @Test
    void windows_of_newer_timelines_lead_up_to_lost_wal_of_the_one_before() {
        assertThat(ofWal(new WalRange(FIRST, Lsn.parse("0/300000"), Lsn.parse("0/400000"))))
                .isEqualTo("no storage that answers has it whole: from the backup of 2026-11-22T01:00:00Z on, moments"
                        + " after 0/300000 (stored at 2026-11-22T01:01:00Z) cannot be reached until"
                        + " 2026-11-22T01:15:00Z, when the next backup ended at 0/900000");
    }

    @Test
    void wal_behind_the_failover_costs_only_the_abandoned_branch() {
        assertThat(ofWal(new WalRange(FIRST, Lsn.parse("0/600000"), Lsn.parse("0/700000"))))
                .isEqualTo("no storage that answers has it whole: it costs only moments after 0/600000 of the"
                        + " abandoned timeline 1, none of timeline 2");
    }
}
