package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.SourceDamage;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.Damage;
import io.nightshift.infra.backup.StreamWaits;
import io.nightshift.infra.backup.Verification;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.RememberedRun;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class BackupReportTest {

    private static final Instant BEGAN = Instant.parse("2026-11-22T01:00:00Z");
    private static final BackupLabel LABEL = BackupLabel.parse("20261122T010000Z-full-r8f3");
    private static final StreamTimes TIMES =
            new StreamTimes(BEGAN, BEGAN.plusSeconds(30), BEGAN.plusSeconds(40), StreamWaits.NONE);

    private final RememberedRun run = RememberedRun.first("chanuka", BackupSettings.defaults(), false);

    @Test
    void the_stream_rate_leaves_out_the_wait_for_the_checkpoint() {
        BackupReport.streamed(run, document(), TIMES);

        assertThat(run.report().figures())
                .contains(
                        new Figure("checkpoint waited for", 30.0, "s"),
                        new Figure("streamed in", 10.0, "s"),
                        new Figure("stream rate", 104_857_600L, "bytes/s"),
                        new Figure("compression ratio", 4.0, ""));
        assertThat(run.report().findings()).isEmpty();
    }

    @Test
    void the_report_says_what_limited_the_stream() {
        var waits = new StreamWaits(Duration.ofSeconds(2), Duration.ofSeconds(5), Duration.ofSeconds(1), Duration.ZERO);

        BackupReport.streamed(run, document(), new StreamTimes(BEGAN, BEGAN, BEGAN.plusSeconds(10), waits));

        assertThat(run.report().sections())
                .containsExactly(Section.text("what limited the stream", "compression, for 5.00 s of 10.00 s"));
    }

    @Test
    void a_stream_that_has_waited_for_little_was_limited_by_its_own_work() {
        BackupReport.streamed(run, document(), TIMES);

        assertThat(run.report().sections())
                .containsExactly(
                        Section.text("what limited the stream", "reading and summing, for 10.00 s of 10.00 s"));
    }

    @Test
    void a_backup_is_compared_with_the_median_of_the_earlier_ones() {
        var past = new PastBackups(List.of(document(400), document(10), document(20)));

        BackupReport.compared(run, document(50), past);

        assertThat(run.report().figures())
                .containsExactly(
                        new Figure("duration against the usual", 2.5, "×"),
                        new Figure("size against the usual", 1.0, "×"));
    }

    @Test
    void a_first_backup_is_compared_with_nothing() {
        BackupReport.compared(run, document(), new PastBackups(List.of()));

        assertThat(run.report().figures()).isEmpty();
    }

    @Test
    void a_server_on_a_timeline_of_the_past_is_a_finding() {
        var past = new PastBackups(List.of(document(new Timeline(3), 40), document(new Timeline(1), 40)));

        BackupReport.compared(run, document(new Timeline(3), 40), past);
        assertThat(run.report().findings()).isEmpty();
        BackupReport.compared(run, document(new Timeline(2), 40), past);

        assertThat(run.report().findings()).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo(Severity.ERROR);
            assertThat(finding.detail()).contains("on timeline 2", "on timeline 3");
        });
    }

    @Test
    void the_summary_is_one_short_line() {
        assertThat(BackupReport.summary(document()))
                .isEqualTo("backup 20261122T010000Z-full-r8f3: 0.98 GB stored in 250 MB,"
                        + " read back and equal to the server's manifest");
        assertThat(BackupReport.summary(document(page(1)))).endsWith("; source-damaged, 1 page");
        assertThat(BackupReport.summary(document(page(1), page(2)))).endsWith("; source-damaged, 2 pages");
        assertThat(BackupReport.summary(document(page(1), page(-1)))).endsWith("; source-damaged, more than 1 pages");
    }

    @Test
    void the_same_bytes_in_two_storages_and_two_files_at_one_place_are_findings_of_their_own() {
        BackupReport.verified(run, document(), verification("far", damage(0, "a"), damage(0, "b")), Duration.ZERO);
        BackupReport.verified(run, document(), verification("near", damage(0, "a")), Duration.ZERO);

        assertThat(run.report().findings())
                .extracting(Finding::key)
                .containsExactly(
                        "backup/damage/far/base.tar.zst/0/a",
                        "backup/damage/far/base.tar.zst/0/b",
                        "backup/damage/near/base.tar.zst/0/a");
    }

    @Test
    void a_storage_full_of_damage_does_not_make_a_report_that_nobody_can_read() {
        Damage[] damages =
                LongStream.range(0, 10_000).mapToObj(from -> damage(from, "")).toArray(Damage[]::new);

        BackupReport.verified(run, document(), verification("local", damages), Duration.ZERO);

        assertThat(run.report().findings()).hasSize(BackupReport.MOST_FINDINGS + 1);
        assertThat(run.report().findings().get(BackupReport.MOST_FINDINGS)).satisfies(more -> {
            assertThat(more.severity()).isEqualTo(Severity.CRITICAL);
            assertThat(more.detail()).isEqualTo("9900 damages more are not listed");
        });
    }

    @Test
    void what_a_later_attempt_finds_again_stays_and_the_rest_is_resolved() {
        BackupReport.verified(run, document(), verification("local", damage(1, ""), damage(2, "")), Duration.ZERO);
        RememberedRun restart = run.next();

        BackupReport.verified(restart, document(), verification("local", damage(2, "")), Duration.ZERO);

        assertThat(restart.report().findings())
                .extracting(Finding::state)
                .containsExactlyInAnyOrder(Finding.State.RESOLVED, Finding.State.NEW);
        assertThat(restart.report().exitStatus()).isEqualTo(3);
    }

    private static Damage damage(long from, String path) {
        return new Damage("base.tar.zst", from, from + 1, path, "its checksum does not match");
    }

    private static Verification verification(String storage, Damage... damages) {
        return new Verification(storage, LABEL, 1000, 10, List.of(damages));
    }

    private static SourceDamage page(long block) {
        return new SourceDamage("base/5/16384", block);
    }

    private static BackupDocument document(SourceDamage... sourceDamage) {
        return document(40, sourceDamage);
    }

    private static BackupDocument document(int seconds, SourceDamage... sourceDamage) {
        return document(new Timeline(1), seconds, sourceDamage);
    }

    private static BackupDocument document(Timeline timeline, int seconds, SourceDamage... sourceDamage) {
        return new BackupDocument(
                BackupDocument.FORMAT_VERSION,
                LABEL,
                "chanuka",
                BackupType.FULL,
                null,
                new SystemIdentifier(7711),
                18,
                timeline,
                Lsn.parse("0/2000028"),
                Lsn.parse("0/2000120"),
                BackupDocument.Wal.INCLUDED,
                List.of(),
                new BackupDocument.Manifest("backup_manifest", 1, "00"),
                null,
                1000L << 20,
                250L << 20,
                BEGAN,
                BEGAN.plusSeconds(seconds),
                new BackupDocument.Method("spread", "zstd:3", ManifestChecksum.CRC32C),
                new BackupDocument.Source("18.6", false, List.of(sourceDamage), Map.of(), List.of(), List.of()),
                Map.of(),
                new RunId(1),
                "test-node",
                "development");
    }
}
