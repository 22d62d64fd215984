package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.FaultyStorage.Call;
import io.nightshift.infra.storage.Storage;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.JobRun.Outcome;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** One failure at each call of a storage: loud, invisible, and the restart converges. */
class StorageFaultsTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 1, "checkpoint", "fast"));

    private static TestCluster server;
    private static Faults calls;

    @BeforeAll
    static void start() {
        server = TestCluster.start(18, Map.of());
        try (TestCluster cluster = server.withStorages("local")) {
            calls = new Faults();
            // The control, too: the layer alone breaks nothing.
            JobRun.of(TYPE, cluster.behind(calls::layer), QUICK).attempt().completed();
        }
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @MethodSource("anyCall")
    void a_storage_that_fails_at_any_call_fails_the_run_and_the_restart_converges(Call call, int nth) {
        try (TestCluster cluster = server.withStorages("local")) {
            FailureKind kind = nth % 2 == 0 ? FailureKind.RESOURCES_EXHAUSTED : FailureKind.STORAGE_UNAVAILABLE;

            requireConvergence(cluster, new Faults("local", call, nth, kind));
        }
    }

    @ParameterizedTest
    @MethodSource("anyWrite")
    void a_second_storage_that_fails_fails_the_run_in_both(Call call, int nth) {
        try (TestCluster cluster = server.withStorages("far", "near")) {
            requireConvergence(cluster, new Faults("near", call, nth, FailureKind.STORAGE_UNAVAILABLE));
        }
    }

    private static List<Arguments> anyCall() {
        return chosen(4, EnumSet.complementOf(EnumSet.of(Call.DELETE)));
    }

    private static List<Arguments> anyWrite() {
        return chosen(2, EnumSet.of(Call.CREATE, Call.WRITE, Call.COMMIT, Call.AFTER_COMMIT));
    }

    /** Some, of different kinds, chosen anew at each build; every call of a backup at full effort. */
    private static List<Arguments> chosen(int some, Set<Call> kinds) {
        Random random = Seed.underTest().get(Seed.underTest().size() - 1).random();
        List<Arguments> first = new ArrayList<>();
        List<Arguments> others = new ArrayList<>();
        for (Call kind : kinds) {
            List<Integer> all =
                    new ArrayList<>(IntStream.rangeClosed(1, calls.of("local").calls(kind))
                            .boxed()
                            .toList());
            Collections.shuffle(all, random);
            first.add(Arguments.of(kind, all.get(0)));
            all.subList(1, all.size()).forEach(nth -> others.add(Arguments.of(kind, nth)));
        }
        Collections.shuffle(first, random);
        first.addAll(others);
        return first.subList(0, Effort.of(some, first.size()));
    }

    @Test
    void a_storage_that_cannot_even_delete_leaves_debris_that_nobody_takes_for_a_backup() {
        try (TestCluster cluster = server.withStorages("local")) {
            Faults faults = new Faults("local", Call.WRITE, 3, FailureKind.RESOURCES_EXHAUSTED);
            cluster.behind(faults::layer).clusterStorages().forReading(TestCluster.NAME);
            faults.of("local").failFrom(Call.DELETE, 1, FailureKind.STORAGE_UNAVAILABLE);
            JobRun run = JobRun.of(TYPE, cluster.behind(faults::layer), QUICK);

            Outcome failed = run.attempt();
            List<StoredBackup> visible = cluster.backups();
            faults.repair();
            run.attempt().completed();

            assertThat(failed.failed().kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED);
            assertThat(visible).isEmpty();
            assertThat(cluster.backups()).singleElement().matches(StoredBackup::isRestorable);
            assertThat(cluster.catalog().debris())
                    .singleElement()
                    .satisfies(debris -> assertThat(debris.marker()).isPresent());
        }
    }

    @Test
    void a_storage_that_has_become_read_only_is_told_as_such() throws Exception {
        try (TestCluster cluster = server.withStorages("local")) {
            JobRun.of(TYPE, cluster, QUICK).attempt().completed();
            List<String> before = cluster.files();
            Path root = cluster.storage("local");
            permit(root, "r-xr-xr-x");
            try (ChildJvm child = ChildJvm.startBoundByPermissions(BackupChild.class, cluster.coordinates())) {
                assertThat(child.exitStatus()).as("%s", child).isEqualTo(FailureKind.STORAGE_UNAVAILABLE.exitStatus());
                assertThat(child.output())
                        .anyMatch(line -> line.matches("cannot create object chanuka/.* in storage local: "
                                + "permission denied on " + root + "/.*"))
                        .anyMatch(line -> line.startsWith("HINT: let the user of this process"));
            } finally {
                permit(root, "rwxr-xr-x");
            }

            assertThat(cluster.files()).isEqualTo(before);
            cluster.awaitNoTraces();
            JobRun.of(TYPE, cluster, QUICK).attempt().completed();
        }
    }

    private static void requireConvergence(TestCluster cluster, Faults faults) {
        JobRun run = JobRun.of(TYPE, cluster.behind(faults::layer), QUICK);

        Outcome first = run.attempt();
        List<StoredBackup> visible = cluster.backups();
        List<String> left = cluster.files();
        boolean reached = faults.of(faults.storage).calls(faults.call) >= faults.nth;
        faults.repair();
        Outcome second = first.failure().isPresent() ? run.attempt().completed() : first;

        // One backup may need a call less than another.
        if (first.failure().isEmpty() && (!reached || faults.maySurvive())) {
            assertThat(visible).as("%s", faults).hasSize(1);
        } else {
            assertThat(first.failure()).as("%s: %s", faults, first.status()).isPresent();
            String why = String.valueOf(first.failed().getMessage());
            assertThat(first.failed().kind()).as("%s: %s", faults, first).isEqualTo(faults.kind);
            assertThat(why).as("%s", faults).startsWith("injected failure of " + faults.call);
            // A storage that says it has failed may have made the object all the same,
            // and the storages are published to one after the other.
            boolean published = why.contains("/backup.json");
            assertThat(visible)
                    .as("%s", faults)
                    .hasSizeLessThanOrEqualTo(published ? 1 : 0)
                    .allMatch(StoredBackup::isRestorable);
            if (first.steps().contains("streamBaseBackup") && !first.steps().contains("verifyStoredBackup")) {
                assertThat(left).as("%s", faults).allMatch(file -> file.endsWith("/installation.json"));
            }
        }
        assertThat(second.report().exitStatus()).isZero();
        assertThat(cluster.backups()).as("%s", faults).singleElement().matches(StoredBackup::isRestorable);
        assertThat(cluster.catalog().debris()).as("%s", faults).isEmpty();
        cluster.awaitNoTraces();
    }

    private static void permit(Path root, String permissions) throws IOException {
        Set<PosixFilePermission> bits = PosixFilePermissions.fromString(permissions);
        List<Path> folders;
        try (Stream<Path> found = Files.walk(root)) {
            folders = found.filter(Files::isDirectory).toList();
        }
        for (Path folder : folders) {
            Files.setPosixFilePermissions(folder, bits);
        }
    }

    /** The storages of one case, of which one fails once. */
    private static final class Faults {

        private final Map<String, FaultyStorage> storages = new ConcurrentHashMap<>();
        private final String storage;
        private final Call call;
        private final int nth;
        private final FailureKind kind;

        Faults() {
            this("", Call.DELETE, 1, FailureKind.BUG);
        }

        Faults(String storage, Call call, int nth, FailureKind kind) {
            this.storage = storage;
            this.call = call;
            this.nth = nth;
            this.kind = kind;
        }

        Storage layer(Storage below) {
            return storages.computeIfAbsent(below.name(), name -> {
                FaultyStorage faulty = new FaultyStorage(below);
                return name.equals(storage) ? faulty.failOnce(call, nth, kind) : faulty;
            });
        }

        FaultyStorage of(String name) {
            return storages.get(name);
        }

        /** Whether only a comparison with earlier backups, which are listed and whose documents are read, was left out. */
        boolean maySurvive() {
            return EnumSet.of(Call.LIST, Call.STAT).contains(call)
                    || (EnumSet.of(Call.OPEN, Call.READ).contains(call)
                            && of(storage).failed().stream().allMatch(object -> object.endsWith("/backup.json")));
        }

        void repair() {
            storages.values().forEach(FaultyStorage::repair);
        }

        @Override
        public String toString() {
            return call + " " + nth + " of storage " + storage;
        }
    }
}
