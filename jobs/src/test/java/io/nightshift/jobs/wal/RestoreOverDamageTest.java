package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.RestoreTrial.commit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability.Window;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.wal.WalObject;
import io.nightshift.infra.wal.WalPath;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.wal.RestoreTrial.Committed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Rows 1-2, a backup, then a segment each with the rows 3, 4 and 5, a second backup, and row 6 in a segment that is not
 * full; all in two storages. Each test damages or takes away what it wants; it is mended afterwards.
 */
class RestoreOverDamageTest {

    private static final RestoreTarget LATEST = new RestoreTarget.Latest();

    private static final List<Committed> DONE = new ArrayList<>();
    private static TestCluster server;
    private static TestCluster cluster;
    private static RestoreTrial trial;
    private static List<WalPath.Step> way;

    private final Map<Path, byte[]> originals = new HashMap<>();

    @BeforeAll
    static void archive() throws Exception {
        server = TestCluster.start(18, Map.of("track_commit_timestamp", "on", "wal_keep_size", "1GB"));
        cluster = server.withStorages("far", "near");
        TestPostgres postgres = server.postgres();
        trial = new RestoreTrial(postgres);
        postgres.execute("postgres", "CREATE TABLE note (id int)");
        DONE.addAll(commit(postgres, 1, 2));
        RestoreTrial.backup(cluster);
        for (int id = 3; id <= 5; id++) {
            DONE.addAll(commit(postgres, id, id));
            postgres.execute("postgres", "SELECT pg_switch_wal()");
        }
        RestoreTrial.backup(cluster);
        DONE.addAll(commit(postgres, 6, 6));
        RestoreTrial.archive(cluster, postgres, new Timeline(1), "far", "near");
        RestorableCluster source = source();
        way = source.plan(oldest(source), LATEST, new RestoreTimeline.Latest())
                .wal()
                .steps();
    }

    @AfterAll
    static void close() throws Exception {
        trial.close();
        cluster.close();
        server.close();
    }

    @AfterEach
    void mend() throws IOException {
        for (Map.Entry<Path, byte[]> original : originals.entrySet()) {
            Files.write(original.getKey(), original.getValue());
        }
    }

    private static RestorableCluster source() {
        return RestoreTrial.source(cluster);
    }

    private static StoredBackup oldest(RestorableCluster source) {
        assertThat(source.storages()).hasSize(2);
        return cluster.backups().stream()
                .min(Comparator.comparing(
                        backup -> backup.document().orElseThrow().endedAt()))
                .orElseThrow();
    }

    private static RestorePlan plan(RestorableCluster source, RestoreTarget target) {
        return source.plan(oldest(source), target, new RestoreTimeline.Latest());
    }

    /** The object with the row, which began the segment. */
    private static WalObject with(int row) {
        Lsn behind = DONE.get(row - 1).behind();
        return way.stream()
                .filter(step -> behind.compareTo(step.segment().start()) > 0
                        && behind.compareTo(step.segment().end()) <= 0)
                .findFirst()
                .orElseThrow()
                .object();
    }

    private byte[] take(String storage, WalObject object) throws IOException {
        Path path = RestoreTrial.object(cluster, storage, object);
        byte[] content = Files.readAllBytes(path);
        originals.putIfAbsent(path, content.clone());
        Files.delete(path);
        return content;
    }

    private void replace(String storage, WalObject object, byte[] content) throws IOException {
        take(storage, object);
        put(storage, object, content);
    }

    private static void put(String storage, WalObject object, byte[] content) throws IOException {
        Files.write(RestoreTrial.object(cluster, storage, object), content);
    }

    private void damage(String storage, WalObject object) throws IOException {
        byte[] content = take(storage, object);
        content[content.length / 2] ^= 0x10;
        put(storage, object, content);
    }

    private static void assertRefused(RestorableCluster source, RestoreTarget target, FailureKind kind, int nearest) {
        assertThatThrownBy(() -> plan(source, target)).isInstanceOfSatisfying(NightshiftException.class, refusal -> {
            assertThat(refusal.kind()).as("%s", refusal).isEqualTo(kind);
            assertThat(refusal.hint()).startsWith("nearest: ").contains(", with --target-lsn ");
            String lsn = refusal.hint().substring(refusal.hint().lastIndexOf(' ') + 1);
            RestorePlan instead = plan(source, new RestoreTarget.AtLsn(Lsn.parse(lsn), true));
            assertThat(instead.newest()).isEqualTo(DONE.get(nearest - 1).at());
        });
    }

    @Test
    void a_lost_segment_ends_the_way_and_the_nearest_point_before_it_is_named() throws Exception {
        take("far", with(4));
        take("near", with(4));
        RestorableCluster source = source();

        assertRefused(source, LATEST, FailureKind.REFUSED, 3);
        for (int row = 4; row <= 6; row++) {
            Committed lost = DONE.get(row - 1);
            assertRefused(source, new RestoreTarget.AtTime(lost.at(), true), FailureKind.REFUSED, 3);
            assertRefused(source, new RestoreTarget.AtXid(lost.xid(), true), FailureKind.REFUSED, 3);
            assertRefused(source, new RestoreTarget.AtLsn(lost.behind(), false), FailureKind.REFUSED, 3);
        }
        assertThat(plan(source, new RestoreTarget.AtXid(DONE.get(2).xid(), true))
                        .stopsAt())
                .isLessThan(DONE.get(2).behind());
        assertThat(source.plan(null, LATEST, new RestoreTimeline.Latest()).newest())
                .isEqualTo(DONE.get(5).at());
        List<Window> windows = source.restorability().windows();
        assertThat(windows).hasSize(2);
        assertThat(windows.get(0).to()).isLessThan(DONE.get(3).behind());
        assertThat(windows.get(1).from()).isGreaterThan(DONE.get(4).behind());
        trial.restore(source, plan(source, new RestoreTarget.AtXid(DONE.get(2).xid(), true)));
        assertThat(trial.rows()).containsExactly(1, 2, 3);
    }

    @Test
    void a_damaged_copy_is_passed_over_with_a_complaint() throws Exception {
        damage("far", with(4));
        put("far", with(6), Arrays.copyOf(take("far", with(6)), 40));
        replace("near", with(3), new byte[0]);
        RestorableCluster source = source();
        RestorePlan plan = plan(source, LATEST);

        List<String> complaints = trial.restore(source, plan).complaints();

        assertThat(trial.rows()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(complaints)
                .anyMatch(one -> one.contains(with(4).name()) && one.contains("in storage far is damaged"))
                .anyMatch(one -> one.contains(with(6).name()) && one.contains("in storage far is damaged"));
    }

    @Test
    void wal_that_is_damaged_in_every_storage_is_found_before_anything_is_written() throws Exception {
        damage("far", with(4));
        damage("near", with(4));
        RestorableCluster source = source();

        assertRefused(source, LATEST, FailureKind.DATA_DAMAGED, 3);
        assertRefused(source, new RestoreTarget.AtLsn(DONE.get(4).behind(), true), FailureKind.DATA_DAMAGED, 3);
        assertRefused(source, new RestoreTarget.AtTime(DONE.get(4).at(), true), FailureKind.DATA_DAMAGED, 3);
        assertThat(plan(source, new RestoreTarget.AtXid(DONE.get(2).xid(), true))
                        .stopsAt())
                .isLessThan(DONE.get(2).behind());
        assertThat(source.plan(null, LATEST, new RestoreTimeline.Latest()).newest())
                .isEqualTo(DONE.get(5).at());
    }

    @Test
    void a_partial_that_was_cut_off_is_not_the_end() throws Exception {
        for (String storage : List.of("far", "near")) {
            byte[] content = take(storage, with(6));
            put(storage, with(6), Arrays.copyOf(content, content.length - 10));
        }

        assertRefused(source(), LATEST, FailureKind.DATA_DAMAGED, 5);
    }

    @Test
    void wal_of_another_cluster_under_the_right_name_is_not_taken() throws Exception {
        byte[] content =
                Zstd.decompress(Files.readAllBytes(RestoreTrial.object(cluster, "far", with(4))), ArchiveTrial.SEGMENT);
        content[24] ^= 1;
        replace("far", with(4), Zstd.compress(content));
        RestorableCluster oneGood = source();
        assertThat(plan(oneGood, LATEST).newest()).isEqualTo(DONE.get(5).at());
        assertThat(oneGood.wal().complaints()).singleElement().asString().contains("its system identifier is ");

        replace("near", with(4), Zstd.compress(content));

        assertRefused(source(), LATEST, FailureKind.DATA_DAMAGED, 3);
    }

    @Test
    void one_storage_is_enough_and_the_other_one_is_named() throws Exception {
        take("near", with(4));
        take("far", with(5));

        RestorableCluster source = source();

        assertThat(plan(source, LATEST).newest()).isEqualTo(DONE.get(5).at());
        assertThat(source.restorability().windows()).hasSize(1);
    }

    @Test
    void a_backup_behind_which_nothing_is_archived_yet_is_no_obstacle_for_an_older_target() throws Exception {
        for (String storage : List.of("far", "near")) {
            take(storage, with(6));
        }
        RestorableCluster source = source();
        Committed wanted = DONE.get(3);

        for (RestoreTarget target : List.of(
                new RestoreTarget.AtTime(wanted.at(), true),
                new RestoreTarget.AtXid(wanted.xid(), true),
                new RestoreTarget.AtLsn(wanted.behind(), true))) {
            assertThat(source.plan(null, target, new RestoreTimeline.Latest())
                            .backup()
                            .label())
                    .isEqualTo(oldest(source).label());
        }
    }

    @Test
    void recovery_ends_with_an_error_when_fetched_wal_is_not_there_any_more() throws Exception {
        RestorableCluster source = source();
        trial.restore(source, plan(source, LATEST));
        Path folder = trial.data().resolve("nightshift_wal");
        Path last = folder.resolve(way.get(way.size() - 1).segment().name());
        Path aside = folder.resolve("aside");

        Files.move(last, aside);
        assertEnds("201");
        Files.move(aside, last);
        if (Effort.of(1, 2) > 1) {
            assertEndsInManyWays(folder, last);
        }
        Path list = folder.resolve("list");
        String lines = Files.readString(list);
        Files.writeString(list, lines.replace(last.getFileName() + " ", "another "));
        assertEnds("recovery ended before configured recovery target was reached");
        Files.writeString(list, lines);

        assertThat(trial.rows()).containsExactly(1, 2, 3, 4, 5, 6);
    }

    /** Each start of a server that ends again takes its time. */
    private static void assertEndsInManyWays(Path folder, Path last) throws IOException {
        Path aside = folder.resolve("aside");
        Files.move(last, aside);
        Files.write(last, new byte[100]);
        assertEnds("202");
        Files.delete(last);
        Files.createDirectory(last);
        assertEnds("201");
        Files.delete(last);
        Files.move(aside, last);
        Files.setPosixFilePermissions(last, PosixFilePermissions.fromString("---------"));
        assertEnds("202");
        Files.setPosixFilePermissions(last, PosixFilePermissions.fromString("rw-------"));
        Path list = folder.resolve("list");
        Files.move(list, aside);
        assertEnds("200");
        Files.move(aside, list);
        Path fetch = folder.resolve("fetch");
        String script = Files.readString(fetch);
        Files.writeString(fetch, script.replace("#!/bin/sh\n", "#!/bin/sh\nPATH=/nowhere\n"));
        assertEnds("200");
        Files.writeString(fetch, script.replace("\ncp ", "\nPATH=/nowhere; cp "));
        assertEnds("203");
        Files.writeString(fetch, script);
    }

    private static void assertEnds(String with) {
        assertThatThrownBy(() -> {
                    PostgresServer opened = trial.start();
                    opened.stop();
                })
                .as(with)
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining("FATAL")
                .hasMessageContaining(with.length() > 3 ? with : "exit code " + with);
    }
}
