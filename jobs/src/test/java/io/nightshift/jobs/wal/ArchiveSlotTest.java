package io.nightshift.jobs.wal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ArchiveSlotTest {

    @Test
    void has_a_name_that_servers_accept_and_that_no_other_installation_has() {
        String long64 = "a-Cluster.of".repeat(12);

        assertThat(ArchiveSlot.name("one", "chanuka-2")).matches("nightshift_chanuka_2_[0-9a-f]{8}");
        assertThat(ArchiveSlot.name("one", long64)).matches("[a-z0-9_]{1,63}");
        assertThat(ArchiveSlot.name("one", "chanuka")).isEqualTo(ArchiveSlot.name("one", "chanuka"));
        assertThat(ArchiveSlot.name("one", "chanuka")).isNotEqualTo(ArchiveSlot.name("two", "chanuka"));
        assertThat(ArchiveSlot.name("one", "a-b")).isNotEqualTo(ArchiveSlot.name("one", "a_b"));
    }
}
