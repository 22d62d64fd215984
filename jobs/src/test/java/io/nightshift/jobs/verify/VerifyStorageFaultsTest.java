package io.nightshift.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.FaultyStorage.Call;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A repair that is broken off anywhere: no good byte is lost, it is said aloud, and the next run comes to the same end. */
class VerifyStorageFaultsTest {

    private record Fault(Call call, int nth) {}

    /** A storage with a damaged and a lost object of a backup, and of the WAL; the other has them whole. */
    private static Map<String, String> damage(StoredCluster world) {
        StoredCluster.Chains chains = world.fill();
        Map<String, String> whole = world.content("near");
        world.damage("near", StoredCluster.object(chains.first(), "base.tar.zst"));
        world.damage("near", StoredCluster.wal(4));
        try {
            Files.delete(world.file("near", StoredCluster.object(chains.last(), "backup_manifest")));
            Files.delete(world.file("near", StoredCluster.wal(6)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return whole;
    }

    private static void requireWhole(StoredCluster world, Map<String, String> whole) {
        assertThat(world.content("near")).isEqualTo(whole);
        assertThat(world.content("far")).isEqualTo(whole);
        assertThat(world.backups())
                .allMatch(backup -> backup.copies().values().stream().allMatch(copy -> copy.state() == State.OK));
    }

    private static Random random() {
        return Seed.underTest().get(Seed.underTest().size() - 1).random();
    }

    static List<Fault> anyCall() {
        Map<Call, Integer> calls = new EnumMap<>(Call.class);
        try (StoredCluster world = new StoredCluster()) {
            Map<String, String> whole = damage(world);
            AtomicReference<FaultyStorage> near = new AtomicReference<>();
            TestCluster counted = world.cluster().behind(storage -> {
                FaultyStorage counting = new FaultyStorage(storage);
                if (storage.name().equals("near")) {
                    near.set(counting);
                }
                return counting;
            });
            StoredCluster.run(counted, StoredCluster.ALL).attempt().completed();
            requireWhole(world, whole); // the control, too: the layer alone breaks nothing
            for (Call call : Call.values()) {
                calls.put(call, near.get().calls(call));
            }
        }
        List<Fault> all = new ArrayList<>();
        calls.forEach((call, count) -> IntStream.rangeClosed(1, count).forEach(nth -> all.add(new Fault(call, nth))));
        Collections.shuffle(all, random());
        return all.subList(0, Math.min(all.size(), Effort.of(3, all.size())));
    }

    @ParameterizedTest
    @MethodSource("anyCall")
    void a_storage_that_fails_at_any_call_is_loud_and_the_next_run_comes_to_the_same_end(Fault fault) {
        try (StoredCluster world = new StoredCluster()) {
            Map<String, String> whole = damage(world);
            TestCluster faulty = world.cluster()
                    .behind(storage -> storage.name().equals("near")
                            ? new FaultyStorage(storage)
                                    .failOnce(fault.call(), fault.nth(), FailureKind.STORAGE_UNAVAILABLE)
                            : storage);

            JobRun.Outcome broken = StoredCluster.run(faulty, StoredCluster.ALL).attempt();

            if (broken.failure().isPresent()) {
                assertThat(broken.failed()).hasMessageContaining("storage near");
            } else if (broken.report().exitStatus() == 0) {
                requireWhole(world, whole);
            }
            assertThat(world.content("far")).isEqualTo(whole);
            JobReport clean = world.run(StoredCluster.ALL).attempt().completed().report();
            assertThat(clean.exitStatus()).as("%s", clean).isZero();
            requireWhole(world, whole);
        }
    }

    static List<String> places() {
        List<String> places = new ArrayList<>(
                List.of("storage.before-link", "storage.after-rename", "verify.object-replaced", "verify.wal-kept"));
        Collections.shuffle(places, random());
        return places.subList(0, Effort.of(1, places.size()));
    }

    @ParameterizedTest
    @MethodSource("places")
    void a_process_that_is_killed_leaves_each_object_old_or_new_and_the_next_one_goes_on(String place) {
        try (StoredCluster world = new StoredCluster()) {
            Map<String, String> whole = damage(world);
            Map<String, String> before = world.content("near");

            try (ChildJvm child = ChildJvm.start(
                    VerifyStorageChild.class,
                    Map.of("NIGHTSHIFT_CRASH_AT", place),
                    world.directory().toString())) {
                assertThat(child.exitStatus()).as("%s", child).isEqualTo(CrashPoint.EXIT_STATUS);
            }

            assertThat(world.content("far")).isEqualTo(whole);
            world.content("near")
                    .forEach((object, bytes) -> assertThat(bytes)
                            .as(object)
                            .satisfiesAnyOf(
                                    found -> assertThat(found).isEqualTo(before.get(object)),
                                    found -> assertThat(found).isEqualTo(whole.get(object)),
                                    found -> assertThat(object).endsWith(".part")));
            assertThat(world.run(StoredCluster.ALL)
                            .attempt()
                            .completed()
                            .report()
                            .exitStatus())
                    .isZero();
            assertThat(world.content("near")).containsAllEntriesOf(whole);
        }
    }
}
