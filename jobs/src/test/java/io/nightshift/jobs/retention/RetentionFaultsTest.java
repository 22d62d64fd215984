package io.nightshift.jobs.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.FaultyStorage.Call;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A run of retention that is broken off anywhere: no chain is seen broken, and the next run comes to the same end. */
class RetentionFaultsTest {

    private record Fault(Call call, int nth) {}

    /** A chain that goes, one that stays, and WAL of all days. */
    private static List<BackupLabel> fill(InventedCluster world) {
        BackupLabel gone = world.full(25);
        BackupLabel goneNext = world.backup(24, BackupType.INCREMENTAL, gone);
        world.backup(23, BackupType.INCREMENTAL, goneNext);
        BackupLabel opener = world.full(9);
        BackupLabel next = world.backup(8, BackupType.INCREMENTAL, opener);
        BackupLabel last = world.backup(2, BackupType.INCREMENTAL, next);
        world.archive(26, 0);
        world.lastNight();
        return List.of(opener, next, last);
    }

    private static void requireWholeChains(InventedCluster world) {
        assertThat(world.cluster().backups())
                .allMatch(
                        backup -> BackupChain.isComplete(backup, world.cluster().backups()));
    }

    private static void requireEnd(InventedCluster world, List<BackupLabel> kept) {
        assertThat(world.backups()).isEqualTo(kept);
        assertThat(world.objects())
                .filteredOn(object -> object.startsWith("near:") && object.contains("/wal/"))
                .containsExactlyElementsOf(IntStream.rangeClosed(0, 9)
                        .mapToObj(day -> "near:" + InventedCluster.segment(9 - day))
                        .toList());
        assertThat(world.objects())
                .noneMatch(object -> object.contains("/backups/")
                        && !kept.stream().map(BackupLabel::toString).anyMatch(object::contains));
    }

    static List<Fault> anyCall() {
        Random random = Seed.underTest().get(Seed.underTest().size() - 1).random();
        Map<Call, Integer> calls = new EnumMap<>(Call.class);
        try (InventedCluster world = new InventedCluster("far", "near")) {
            List<BackupLabel> kept = fill(world);
            AtomicReference<FaultyStorage> near = new AtomicReference<>();
            InventedCluster.run(
                            world.cluster().behind(storage -> {
                                FaultyStorage counting = new FaultyStorage(storage);
                                if (storage.name().equals("near")) {
                                    near.set(counting);
                                }
                                return counting;
                            }),
                            InventedCluster.CONFIRMED_WEEK)
                    .attempt()
                    .completed();
            requireEnd(world, kept); // the control, too: the layer alone breaks nothing
            for (Call call : Call.values()) {
                calls.put(call, near.get().calls(call));
            }
        }
        List<Fault> all = new ArrayList<>();
        calls.forEach((call, count) -> IntStream.rangeClosed(1, count).forEach(nth -> all.add(new Fault(call, nth))));
        Collections.shuffle(all, random);
        return all.subList(0, Math.min(all.size(), Effort.of(5, all.size())));
    }

    @ParameterizedTest
    @MethodSource("anyCall")
    void a_storage_that_fails_at_any_call_is_loud_and_the_next_run_comes_to_the_same_end(Fault fault) {
        try (InventedCluster world = new InventedCluster("far", "near")) {
            List<BackupLabel> kept = fill(world);
            TestCluster faulty = world.cluster()
                    .behind(storage -> storage.name().equals("near")
                            ? new FaultyStorage(storage)
                                    .failOnce(fault.call(), fault.nth(), FailureKind.STORAGE_UNAVAILABLE)
                            : storage);

            JobRun.Outcome broken =
                    InventedCluster.run(faulty, InventedCluster.CONFIRMED_WEEK).attempt();

            if (broken.failure().isPresent()) {
                assertThat(broken.failed()).hasMessageContaining("storage near");
            } else {
                requireEnd(world, kept);
            }
            requireWholeChains(world);
            assertThat(world.backups()).containsAll(kept);
            world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed();
            requireEnd(world, kept);
        }
    }

    static List<String> places() {
        List<String> places = new ArrayList<>(List.of(
                "retention.marked", "retention.document-deleted", "retention.backup-deleted", "retention.wal-deleted"));
        Collections.shuffle(
                places, Seed.underTest().get(Seed.underTest().size() - 1).random());
        return places.subList(0, Effort.of(1, places.size()));
    }

    @ParameterizedTest
    @MethodSource("places")
    void a_process_that_is_killed_leaves_no_broken_chain_and_the_next_one_goes_on(String place) {
        try (InventedCluster world = new InventedCluster("local")) {
            List<BackupLabel> kept = fill(world);

            try (ChildJvm child =
                    ChildJvm.start(RetentionChild.class, Map.of("NIGHTSHIFT_CRASH_AT", place), world.coordinates())) {
                assertThat(child.exitStatus()).as("%s", child).isEqualTo(CrashPoint.EXIT_STATUS);
            }

            requireWholeChains(world);
            assertThat(world.backups()).containsAll(kept).hasSizeLessThan(6 + 1);
            world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed();
            assertThat(world.backups()).isEqualTo(kept);
        }
    }

    @Test
    void the_same_run_twice_deletes_nothing_more() {
        try (InventedCluster world = new InventedCluster("far", "near")) {
            List<BackupLabel> kept = fill(world);
            world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed();
            List<String> once = world.objects();

            world.run(InventedCluster.CONFIRMED_WEEK).attempt().completed();

            assertThat(world.objects()).isEqualTo(once);
            requireEnd(world, kept);
        }
    }
}
