package io.nightshift.infra.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.TestTar;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A data directory whose links lead to the tablespaces of a server: it was copied with them. */
class UsedTablespaceTest {

    private static final String LABEL = "20261122T010000Z-full-r8f3";

    private final Path directory = TestPostgres.temporaryDirectory("copied-");
    private final Path location = TestPostgres.temporaryDirectory("in-use-");

    @AfterEach
    void delete() throws Exception {
        FileTree.delete(directory);
        FileTree.delete(location);
    }

    @Test
    void is_not_written_over_while_the_server_runs() throws Exception {
        List<Storage> storages =
                List.of(new DirectoryStorage("near", Files.createDirectory(directory.resolve("near"))));
        Map<String, TestTar> cluster = Backups.cluster(new Random(1));
        Backups.store(storages, LABEL, cluster, Backups.manifest(cluster, ManifestChecksum.CRC32C));
        Path data = directory.resolve("data");
        restore(storages, new Restore.Destination(data, Map.of("16575", directory.resolve("fast")), false, false));
        try (TestPostgres postgres = TestPostgres.start(PostgresVersion.NEWEST_SUPPORTED_MAJOR)) {
            ServerUser.of(postgres.dataDirectory()).own(location);
            postgres.execute(
                    "postgres",
                    "CREATE TABLESPACE ours LOCATION '" + location + "'",
                    "CREATE TABLE rows TABLESPACE ours AS SELECT i FROM generate_series(1, 1000) i");
            Path link = data.resolve("pg_tblspc/16575");
            Files.delete(link);
            Files.createSymbolicLink(link, location);

            NightshiftException refused = catchThrowableOfType(
                    NightshiftException.class,
                    () -> restore(storages, new Restore.Destination(data, Map.of(), true, false)));

            assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
            assertThat(refused)
                    .hasMessage("tablespace 16575 in " + location + " is in use: the server on "
                            + postgres.dataDirectory() + " has it");
            postgres.stop();
            postgres.restart();
            postgres.execute("postgres", "SELECT 1 / (count(*) / 1000) FROM rows");
            assertThat(data.resolve("global/pg_control")).exists();
        }
    }

    private static void restore(List<Storage> storages, Restore.Destination destination) {
        Restores.of(storages, LABEL, destination).run(2, new Progress(), new Cancellation());
    }
}
