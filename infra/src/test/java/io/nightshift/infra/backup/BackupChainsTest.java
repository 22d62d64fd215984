package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.backup.StoredBackup.Copy;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.postgres.Lsn;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BackupChainsTest {

    private static BackupLabel label(int number) {
        BackupType type = number == 0 ? BackupType.FULL : BackupType.INCREMENTAL;
        return new BackupLabel(Backups.NOW.plusSeconds(number), type, "aaaa");
    }

    private static StoredBackup stored(int number, @Nullable BackupLabel parent, State state) {
        BackupDocument any = Backups.document(label(0), List.of(), new BackupDocument.Manifest("m", 0, ""));
        BackupDocument document = new BackupDocument(
                any.formatVersion(),
                label(number),
                any.cluster(),
                label(number).type(),
                parent,
                any.systemIdentifier(),
                any.major(),
                any.timeline(),
                new Lsn(1000 + number),
                new Lsn(2000 + number),
                any.wal(),
                any.archives(),
                any.manifest(),
                any.digests(),
                any.bytes(),
                any.storedBytes(),
                any.startedAt(),
                any.endedAt(),
                any.method(),
                any.source(),
                any.labels(),
                any.run(),
                any.node(),
                any.toolVersion());
        return new StoredBackup(
                Backups.PATHS, label(number), Optional.of(document), Map.of("near", new Copy(state, "")));
    }

    private static StoredBackup unreadable(int number) {
        return new StoredBackup(
                Backups.PATHS, label(number), Optional.empty(), Map.of("near", new Copy(State.DAMAGED, "")));
    }

    @Test
    void a_chain_is_complete_up_to_its_first_link_that_is_not_whole() {
        List<StoredBackup> backups = List.of(
                stored(0, null, State.OK),
                stored(1, label(0), State.OK),
                stored(2, label(1), State.DAMAGED),
                stored(3, label(2), State.OK),
                stored(4, label(9), State.OK),
                unreadable(5),
                stored(6, label(5), State.OK));

        var chains = new BackupChains(backups);

        assertThat(backups).filteredOn(chains::isComplete).containsExactly(backups.get(0), backups.get(1));
        assertThat(chains.of(backups.get(3)).links()).isEqualTo(backups.subList(0, 4));
        assertThatThrownBy(() -> chains.of(backups.get(4))).hasMessageContaining(label(9) + " is in no storage");
        assertThatThrownBy(() -> chains.of(backups.get(6))).hasMessageContaining("no readable backup.json");
    }

    @Test
    void one_that_leads_back_to_itself_leads_nowhere() {
        List<StoredBackup> backups =
                List.of(stored(1, label(2), State.OK), stored(2, label(1), State.OK), stored(3, label(2), State.OK));

        var chains = new BackupChains(backups);

        assertThat(backups).noneMatch(chains::isComplete);
        assertThatThrownBy(() -> chains.of(backups.get(2))).hasMessageContaining("which needs it in turn");
    }

    @Test
    void says_the_same_of_each_in_whatever_order_it_is_asked() {
        var random = new Random(1);
        List<StoredBackup> backups = new ArrayList<>(List.of(stored(0, null, State.OK)));
        for (int number = 1; number < 200; number++) {
            State state = random.nextInt(20) == 0 ? State.DAMAGED : State.OK;
            backups.add(stored(number, label(random.nextInt(210)), state));
        }
        var oldestFirst = new BackupChains(backups);
        List<Boolean> known = backups.stream().map(oldestFirst::isComplete).toList();

        assertThat(known).contains(true, false);
        assertThat(backups.stream()
                        .map(backup -> BackupChain.isComplete(backup, backups))
                        .toList())
                .isEqualTo(known);
    }
}
