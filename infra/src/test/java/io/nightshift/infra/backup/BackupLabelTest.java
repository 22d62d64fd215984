package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackupLabelTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-22T01:00:00.123Z"), ZoneOffset.UTC);

    @Test
    void says_when_and_what() {
        BackupLabel label = new BackupLabels(CLOCK, new Random(1)).next(BackupType.FULL);

        assertThat(label.toString()).matches("20261122T010000Z-full-[a-z0-9]{4}");
        assertThat(BackupLabel.parse(label.toString())).isEqualTo(label);
        assertThat(label.time()).isEqualTo(Instant.parse("2026-11-22T01:00:00Z"));
    }

    @Test
    void differs_between_backups_of_one_second() {
        var labels = new BackupLabels(CLOCK, new Random(1));

        assertThat(labels.next(BackupType.INCREMENTAL)).isNotEqualTo(labels.next(BackupType.INCREMENTAL));
    }

    @Test
    void sorts_by_time_whatever_the_type() {
        List<BackupLabel> labels = new ArrayList<>(List.of(
                BackupLabel.parse("20251231T235959Z-incremental-zzzz"),
                BackupLabel.parse("20260101T000000Z-full-0000"),
                BackupLabel.parse("20260101T000001Z-differential-0000")));
        List<BackupLabel> inOrder = List.copyOf(labels);

        Collections.reverse(labels);
        Collections.sort(labels);

        assertThat(labels).isEqualTo(inOrder);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "20261122T010000Z-full",
                "20261122T010000Z-whole-r8f3",
                "20261122T010000Z-FULL-r8f3",
                "20261322T010000Z-full-r8f3",
                "20260230T010000Z-full-r8f3",
                "20261122T250000Z-full-r8f3",
                "20261122T010000Z-full-r8f3/",
                "20261122T010000Z-full-r8f3\n"
            })
    void refuses_what_is_no_label(String text) {
        assertThat(BackupLabel.tryParse(text)).isEmpty();
        assertThatThrownBy(() -> BackupLabel.parse(text)).hasMessageContaining("is not a backup label");
    }
}
