package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.postgres.ServerFacts.Role;
import io.nightshift.infra.postgres.ServerFacts.Setting;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.backup.SourceState.Capacity;
import io.nightshift.jobs.backup.SourceState.Summarizer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PreflightTest {

    private static final Safety SAFE = new Safety(true, true, true, false, true);
    private static final SourceState GOOD = state("180006", "backup", true, "replica", 1, 10, 1, 10, SAFE, 0, -1);

    /** What the server does for its data. */
    private record Safety(
            boolean fsync, boolean fullPageWrites, boolean dataChecksums, boolean inRecovery, boolean summarizesWal) {}

    private static SourceState state(
            String version,
            String role,
            boolean replicates,
            String walLevel,
            int senders,
            int mostSenders,
            int slots,
            int mostSlots,
            Safety safety,
            int secondsAhead,
            long walKept) {
        Map<String, String> settings = Map.of(
                "wal_level", walLevel,
                "fsync", onOrOff(safety.fsync()),
                "full_page_writes", onOrOff(safety.fullPageWrites()),
                "data_checksums", onOrOff(safety.dataChecksums()),
                "summarize_wal", onOrOff(safety.summarizesWal()),
                "max_slot_wal_keep_size", Long.toString(walKept));
        ServerFacts facts = new ServerFacts(
                PostgresVersion.parse(version),
                safety.inRecovery(),
                "postgres",
                new Role(role, role, replicates, Set.of()),
                settings.entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey, entry -> new Setting(entry.getValue(), "configuration file"))),
                Map.of());
        return new SourceState(
                facts,
                new Capacity(senders, mostSenders),
                new Capacity(slots, mostSlots),
                safety.fullPageWrites(),
                null,
                Duration.ofSeconds(secondsAhead),
                null);
    }

    private static String onOrOff(boolean on) {
        return on ? "on" : "off";
    }

    @Test
    void a_server_with_one_of_everything_left_can_give_a_backup() {
        assertThatCode(() -> new Preflight("chanuka", GOOD).requireBackupPossible())
                .doesNotThrowAnyException();
    }

    @Test
    void a_version_that_is_too_old_is_refused() {
        var state = state("140012", "backup", true, "replica", 1, 10, 1, 10, SAFE, 0, -1);

        assertRefused(state, FailureKind.CONFIGURATION, "PostgreSQL 14.12 is not supported\nHINT: supported: 15 to 18");
    }

    @Test
    void a_role_that_may_not_replicate_is_refused_with_its_name_quoted_as_sql_needs_it() {
        var state = state("180006", "o\"brien", false, "replica", 1, 10, 1, 10, SAFE, 0, -1);

        assertRefused(
                state,
                FailureKind.CONFIGURATION,
                "role o\"brien may not replicate\nHINT: ALTER ROLE \"o\"\"brien\" REPLICATION");
    }

    @Test
    void a_minimal_wal_level_comes_before_the_senders_that_it_forbids() {
        var state = state("180006", "backup", true, "minimal", 0, 0, 0, 0, SAFE, 0, -1);

        assertRefused(
                state,
                FailureKind.CONFIGURATION,
                "wal_level is minimal\nHINT: ALTER SYSTEM SET wal_level = replica; ALTER SYSTEM SET max_wal_senders = 10;"
                        + " ALTER SYSTEM SET max_replication_slots = 10; then restart the server");
    }

    @Test
    void senders_that_are_all_in_use_are_refused_with_their_number() {
        var state = state("180006", "backup", true, "logical", 0, 3, 1, 10, SAFE, 0, -1);

        assertRefused(
                state,
                FailureKind.RESOURCES_EXHAUSTED,
                "all 3 WAL senders are in use\nHINT: raise max_wal_senders and restart the server,"
                        + " or do not overlap this job with other backups");
    }

    @Test
    void slots_that_are_all_in_use_are_refused_with_their_number() {
        var state = state("180006", "backup", true, "replica", 1, 10, 0, 4, SAFE, 0, -1);

        assertRefused(
                state,
                FailureKind.RESOURCES_EXHAUSTED,
                "all 4 replication slots are in use\nHINT: raise max_replication_slots and restart the server,"
                        + " or drop a slot that nobody uses");
    }

    @Test
    void everything_that_is_in_the_way_is_told_at_once() {
        var state = state("140012", "backup", false, "replica", 0, 3, 0, 4, SAFE, 0, -1);

        assertRefused(
                state,
                FailureKind.CONFIGURATION,
                "PostgreSQL 14.12 is not supported; role backup may not replicate; all 3 WAL senders are in use;"
                        + " all 4 replication slots are in use\nHINT: supported: 15 to 18;"
                        + " ALTER ROLE \"backup\" REPLICATION; raise max_wal_senders and restart the server,"
                        + " or do not overlap this job with other backups; raise max_replication_slots and restart"
                        + " the server, or drop a slot that nobody uses");
    }

    @Test
    void a_standby_without_full_page_writes_is_refused() {
        var state = state(
                "180006", "backup", true, "replica", 1, 10, 1, 10, new Safety(true, false, true, true, true), 0, -1);

        assertRefused(
                state,
                FailureKind.CONFIGURATION,
                "full_page_writes is off, and the source is a standby\nHINT: at the primary: ALTER SYSTEM SET"
                        + " full_page_writes = on; SELECT pg_reload_conf(), then CHECKPOINT there and here; or take the backup from the primary");
    }

    @Test
    void a_server_that_may_have_no_sender_is_told_the_statement() {
        var state = state("180006", "backup", true, "replica", 0, 0, 1, 10, SAFE, 0, -1);

        assertRefused(
                state,
                FailureKind.RESOURCES_EXHAUSTED,
                "max_wal_senders is 0\nHINT: ALTER SYSTEM SET max_wal_senders = 10; then restart the server");
    }

    @Test
    void a_summarizer_that_is_gone_or_far_behind_is_a_warning() {
        assertThat(summarizing(new Summarizer(true, 900L << 20))).isEmpty();
        assertThat(summarizing(new Summarizer(true, null))).isEmpty();
        assertThat(summarizing(new Summarizer(true, 3L << 30)))
                .extracting(Finding::detail)
                .containsExactly("its WAL summarizer is 3.00 GB of WAL behind: incremental backups will fail,"
                        + " and the server keeps that WAL");
        assertThat(summarizing(new Summarizer(false, 0L)))
                .extracting(Finding::detail)
                .containsExactly("its WAL summarizer does not run: incremental backups will fail,"
                        + " and the server keeps that WAL");
    }

    private static List<Finding> summarizing(Summarizer summarizer) {
        var state = new SourceState(GOOD.facts(), GOOD.senders(), GOOD.slots(), true, summarizer, Duration.ZERO, null);
        return new Preflight("chanuka", state).findings();
    }

    @Test
    void a_server_that_is_well_set_up_has_no_findings() {
        assertThat(new Preflight("chanuka", GOOD).findings()).isEmpty();
    }

    @Test
    void what_is_unwise_is_a_finding_with_its_remedy() {
        var state = state(
                "170010",
                "backup",
                true,
                "replica",
                1,
                10,
                1,
                10,
                new Safety(false, false, false, false, false),
                -90,
                512);

        var findings = new Preflight("chanuka", state).findings();

        assertThat(findings)
                .extracting(Finding::key)
                .containsExactly(
                        "backup/source/fsync",
                        "backup/source/full-page-writes",
                        "backup/source/data-checksums",
                        "backup/source/summarize-wal",
                        "backup/source/clock",
                        "backup/source/max-slot-wal-keep-size");
        assertThat(findings).extracting(Finding::detail).contains("its clock is 1m30s behind this machine's");
        assertThat(findings).noneMatch(finding -> finding.severity().isAtLeast(Severity.ERROR));
    }

    private static void assertRefused(SourceState state, FailureKind kind, String explained) {
        var failure = catchThrowableOfType(
                NightshiftException.class, () -> new Preflight("chanuka", state).requireBackupPossible());

        assertThat(failure.kind()).isEqualTo(kind);
        assertThat(failure.explained()).isEqualTo("base backup of cluster chanuka is not possible: " + explained);
    }
}
