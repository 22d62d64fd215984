package io.nightshift.jobs.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.wal.WalGap;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class FullBackupNeedTest {

    private static final Instant NOW = Instant.parse("2026-11-27T02:00:00Z");

    private static WalGap gap(Duration ago, boolean requested) {
        return new WalGap(new Timeline(1), new Lsn(1 << 24), new Lsn(2 << 24), "removed", NOW.minus(ago), requested);
    }

    @Test
    void one_may_be_asked_for_every_twelve_hours() {
        assertThat(FullBackupNeed.mayAsk(List.of(), NOW)).isTrue();
        assertThat(FullBackupNeed.mayAsk(List.of(gap(Duration.ofHours(12), true)), NOW))
                .isTrue();
        assertThat(FullBackupNeed.mayAsk(List.of(gap(Duration.ofHours(11), false)), NOW))
                .isTrue();
        assertThat(FullBackupNeed.mayAsk(
                        List.of(gap(Duration.ofHours(20), true), gap(Duration.ofMinutes(719), true)), NOW))
                .isFalse();
    }

    @Test
    void a_gap_is_open_until_a_backup_begins_behind_it() {
        assertThat(FullBackupNeed.isOpen(List.of(), List.of())).isFalse();
        assertThat(FullBackupNeed.isOpen(List.of(gap(Duration.ZERO, false)), List.of()))
                .isTrue();
    }
}
