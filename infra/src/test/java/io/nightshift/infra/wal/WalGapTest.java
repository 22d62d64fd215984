package io.nightshift.infra.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalGapTest {

    private static final WalGap GAP = new WalGap(
            new Timeline(2),
            Lsn.parse("16/3000100"),
            Lsn.parse("16/9000000"),
            "requested WAL segment has already been removed",
            Instant.parse("2026-11-27T02:00:00Z"),
            true);

    @TempDir
    private Path temporary;

    private WalArchive archive(String... names) {
        var paths = new BackupPaths("chanuka", 18, new SystemIdentifier(7));
        var storages = Arrays.stream(names)
                .map(name -> new DirectoryStorage(name, temporary.resolve(name)))
                .toList();
        storages.forEach(DirectoryStorage::prepare);
        return new WalArchive(new StorageSet(List.copyOf(storages)), paths, 16 << 20);
    }

    @Test
    void is_found_again_in_a_storage_alone_and_is_no_wal() {
        var both = archive("near", "far");

        both.record(GAP);
        both.record(GAP);

        assertThat(archive("far").gaps()).containsExactly(GAP);
        assertThat(both.gaps()).containsExactly(GAP);
        assertThat(both.coverage()).isEqualTo(new WalCoverage(List.of(), List.of()));
    }

    @Test
    void is_known_by_its_name_when_its_record_is_damaged() throws IOException {
        var archive = archive("near");
        archive.record(GAP);
        Path record = temporary.resolve("near/chanuka/18-7/wal/gaps/00000002-0000001603000100-0000001609000000.json");
        Files.writeString(record, "{\"formatVersion\": 1, \"time");

        assertThat(archive.gaps()).singleElement().satisfies(gap -> {
            assertThat(gap.range()).isEqualTo(GAP.range());
            assertThat(gap.reason()).isEqualTo("its record is not readable");
        });
    }
}
