package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.PlainExport;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.TestCluster;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our chains through PostgreSQL's own pg_combinebackup: whoever has lost Nightshift gets the same rows from what it has
 * stored. Not run by the build: {@code .ci/extra/combinebackup} starts it.
 */
class CombineBackupTrial {

    private static final String PROGRAM = System.getProperty("pg_combinebackup", "pg_combinebackup");
    private static final int BACKUPS = 8;

    static List<Seed> seeds() {
        return Seed.underTest();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void every_chain_of_a_random_workload_gives_the_same_rows(Seed seed) throws Exception {
        Random random = seed.random();
        Path elsewhere = TestPostgres.temporaryDirectory("elsewhere-");
        try (TestCluster cluster = TestCluster.start(
                18, Map.of("summarize_wal", "on", "autovacuum", "off", "max_prepared_transactions", "2"))) {
            var workload = new RandomWorkload(cluster.postgres(), random, elsewhere);
            workload.begin();
            Map<BackupLabel, List<String>> had = new LinkedHashMap<>();
            while (had.size() < BACKUPS) {
                IntStream.range(0, random.nextInt(30)).forEach(act -> workload.act());
                RandomChainsTest.take(RandomChainsTest.type(random), cluster);
                had.put(IncrementalBackupTest.newest(cluster), RandomWorkload.state(cluster.postgres()::connect));
            }

            List<StoredBackup> backups = cluster.backups();
            int combined = 0;
            for (StoredBackup backup : backups) {
                List<StoredBackup> links = BackupChain.of(backup, backups).links();
                if (links.size() > 1) {
                    assertThat(combine(cluster, links))
                            .as("seed %s, backup %s", seed, backup.label())
                            .isEqualTo(had.get(backup.label()));
                    combined++;
                }
            }
            System.out.printf("FIGURE seed %s: %d chains combined by pg_combinebackup%n", seed, combined);
        } finally {
            FileTree.delete(elsewhere);
        }
    }

    private static List<String> combine(TestCluster cluster, List<StoredBackup> links) throws Exception {
        Path work = TestPostgres.temporaryDirectory("combined-");
        try {
            List<String> command =
                    new ArrayList<>(List.of(PROGRAM, "-o", work.resolve("data").toString()));
            for (StoredBackup link : links) {
                Path plain = work.resolve(link.label().toString());
                Map<String, Path> tablespaces = tablespaces(link, work);
                new PlainExport(
                                BackupCopies.of(link, cluster.clusterStorages().forReading(TestCluster.NAME)),
                                plain,
                                tablespaces)
                        .run(2, new Progress(), new Cancellation());
                if (link.equals(links.get(links.size() - 1))) {
                    tablespaces.forEach((oid, place) ->
                            command.addAll(List.of("-T", place + "=" + work.resolve("tablespace-" + oid))));
                }
                command.add(plain.toString());
            }
            run(command);
            Path data = work.resolve("data");
            run(List.of("chown", "-R", "--reference=" + cluster.postgres().dataDirectory(), work.toString()));
            Files.copy(
                    cluster.postgres().dataDirectory().resolveSibling("data.password"), work.resolve("data.password"));
            PostgresServer server =
                    PostgresServer.open(data, cluster.postgres().server().binaries());
            server.start(Map.of("fsync", "off", "autovacuum", "off", "archive_mode", "off"));
            try {
                assertThat(RandomWorkload.damage(server::connect)).isEmpty();
                return RandomWorkload.state(server::connect);
            } finally {
                server.stop();
            }
        } finally {
            FileTree.delete(work);
        }
    }

    private static void run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private static Map<String, Path> tablespaces(StoredBackup link, Path work) {
        Map<String, Path> places = new TreeMap<>();
        for (BackupDocument.Archive archive : link.document().orElseThrow().archives()) {
            if (archive.location().startsWith("/")) {
                places.put(archive.tablespace(), work.resolve(link.label() + "-" + archive.tablespace()));
            }
        }
        return places;
    }
}
