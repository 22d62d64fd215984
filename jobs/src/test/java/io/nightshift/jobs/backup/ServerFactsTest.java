package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import org.junit.jupiter.api.Test;

class ServerFactsTest {

    private static final ServerFacts GOOD =
            new ServerFacts(PostgresVersion.parse("180006"), "backup", true, "replica", 1, 10, 1, 10);

    @Test
    void a_server_with_one_of_everything_left_can_give_a_backup() {
        assertThatCode(() -> GOOD.requireBackupPossible("chanuka")).doesNotThrowAnyException();
    }

    @Test
    void a_version_that_is_too_old_is_refused() {
        var facts = new ServerFacts(PostgresVersion.parse("140012"), "backup", true, "replica", 1, 10, 1, 10);

        assertRefused(facts, FailureKind.CONFIGURATION, "PostgreSQL 14.12 is not supported\nHINT: supported: 15 to 18");
    }

    @Test
    void a_role_that_may_not_replicate_is_refused_with_its_name_quoted_as_sql_needs_it() {
        var facts = new ServerFacts(GOOD.version(), "o\"brien", false, "replica", 1, 10, 1, 10);

        assertRefused(
                facts,
                FailureKind.CONFIGURATION,
                "role o\"brien may not replicate\nHINT: ALTER ROLE \"o\"\"brien\" REPLICATION");
    }

    @Test
    void a_minimal_wal_level_comes_before_the_senders_that_it_forbids() {
        var facts = new ServerFacts(GOOD.version(), "backup", true, "minimal", 0, 0, 0, 0);

        assertRefused(
                facts,
                FailureKind.CONFIGURATION,
                "wal_level is minimal\nHINT: set wal_level = replica and restart the server");
    }

    @Test
    void senders_that_are_all_in_use_are_refused_with_their_number() {
        var facts = new ServerFacts(GOOD.version(), "backup", true, "logical", 0, 3, 1, 10);

        assertRefused(
                facts,
                FailureKind.RESOURCES_EXHAUSTED,
                "all 3 WAL senders are in use\nHINT: raise max_wal_senders and restart the server,"
                        + " or do not overlap this job with other backups");
    }

    @Test
    void slots_that_are_all_in_use_are_refused_with_their_number() {
        var facts = new ServerFacts(GOOD.version(), "backup", true, "replica", 1, 10, 0, 4);

        assertRefused(
                facts,
                FailureKind.RESOURCES_EXHAUSTED,
                "all 4 replication slots are in use\nHINT: raise max_replication_slots and restart the server,"
                        + " or drop a slot that nobody uses");
    }

    private static void assertRefused(ServerFacts facts, FailureKind kind, String explained) {
        var failure = catchThrowableOfType(NightshiftException.class, () -> facts.requireBackupPossible("chanuka"));

        assertThat(failure.kind()).isEqualTo(kind);
        assertThat(failure.explained()).isEqualTo("base backup of cluster chanuka is not possible: " + explained);
    }
}
