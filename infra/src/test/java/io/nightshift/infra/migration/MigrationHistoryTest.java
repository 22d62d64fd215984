package io.nightshift.infra.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MigrationHistoryTest {

    private static MigrationHistory history(String... versions) {
        List<AppliedMigration> applied = new ArrayList<>();
        for (String version : versions) {
            String[] words = version.split(" ", 2);
            applied.add(new AppliedMigration(
                    applied.size() + 1,
                    words[0].equals("R") ? null : words[0],
                    "x",
                    words.length > 1 && !words[1].equals("failed") ? words[1] : "SQL",
                    "V" + words[0] + ".sql",
                    !version.endsWith("failed")));
        }
        return new MigrationHistory("public", "flyway_schema_history", applied);
    }

    private static List<String> versions(List<AppliedMigration> migrations) {
        return migrations.stream().map(AppliedMigration::version).toList();
    }

    @Test
    void in_order_nothing_is_wrong() {
        var history = history("1 SCHEMA", "1", "1.1", "2", "R", "10");

        assertThat(history.failed()).isEmpty();
        assertThat(history.outOfOrder()).isEmpty();
        assertThat(history.gaps()).isEmpty();
        assertThat(history.version()).isEqualTo("10");
    }

    @Test
    void failed_late_and_left_out_ones_are_seen() {
        var history = history("1", "5", "3", "2 failed", "6");

        assertThat(versions(history.failed())).containsExactly("2");
        assertThat(versions(history.outOfOrder())).containsExactly("3", "2");
        assertThat(history.gaps()).containsExactly("4");
        assertThat(history.version()).isEqualTo("6");
    }

    @Test
    void what_was_undone_is_not_late_when_it_is_applied_again() {
        assertThat(history("1", "2", "3", "2 UNDO_SQL", "2").outOfOrder()).isEmpty();
    }

    @Test
    void times_as_versions_have_no_gaps() {
        assertThat(history("20240101120000", "20240304090000", "20251231235959").gaps())
                .isEmpty();
        assertThat(history().gaps()).isEmpty();
        assertThat(history().version()).isNull();
    }
}
