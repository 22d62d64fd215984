package io.nightshift.jobs.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.FaultyStorage.Call;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.RememberedRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.verify.VerifyStorageJobType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Backups, WAL, pins, damage, debris, broken storages and wrong clocks in an order that a seed decides, with runs of
 * retention between them: whatever happens, nothing goes that the window, the newest full chains or a pin need, and no
 * backup is ever seen without what it builds on.
 */
class RetentionModelTest {

    private static final int STEPS = Effort.of(18, 2_000);
    private static final Duration WINDOW = Duration.ofDays(7);
    private static final int FULLS = 2;
    private static final int SEGMENT = 1 << 20;

    private final List<String> story = new ArrayList<>();
    private final List<BackupLabel> taken = new ArrayList<>();
    private final Set<BackupLabel> damaged = new HashSet<>();
    private final Map<BackupLabel, Instant> neededAt = new HashMap<>();
    private Random random;
    private TestCluster cluster;
    private List<Storage> storages;
    private Instant now = Instant.parse("2026-01-01T02:00:00Z");
    private long segment = 32;

    static List<Seed> seeds() {
        return Seed.underTest();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nothing_goes_that_is_needed_and_no_chain_is_ever_seen_broken(Seed seed) throws Exception {
        Path directory = TestPostgres.temporaryDirectory("retention-");
        random = seed.random();
        cluster = TestCluster.attach(new String[] {"1", "nobody", "none", directory.toString()})
                .withStorages("far", "near");
        try {
            storages = cluster.clusterStorages().forWriting(TestCluster.NAME).storages();
            back(BackupType.FULL);
            retention(cluster, now, false);
            for (int step = 0; step < STEPS; step++) {
                step();
                needed().forEach(label -> neededAt.put(label, now));
                assertThat(backups().stream()
                                .filter(backup -> !damaged.contains(backup.label()))
                                .filter(backup -> BackupChain.of(backup, backups()).links().stream()
                                        .noneMatch(link -> damaged.contains(link.label())))
                                .filter(backup -> !BackupChain.isComplete(backup, backups())))
                        .as("%s", this.told(seed))
                        .isEmpty();
            }
            requireThatAllGoesInTheEnd();
            requireThatDamageIsReported();
            StoredBackup newest = restorable().get(restorable().size() - 1);
            for (Storage storage : storages) {
                assertThat(new BackupVerifier(1)
                                .verify(storage, newest.document().orElseThrow(), new Progress(), new Cancellation())
                                .damages())
                        .isEmpty();
            }
        } finally {
            cluster.close();
            FileTree.delete(directory);
        }
    }

    private String told(Seed seed) {
        return "seed " + seed + "\n" + String.join("\n", story);
    }

    private void step() throws IOException {
        now = now.plus(Duration.ofHours(6 + random.nextInt(24)));
        switch (random.nextInt(14)) {
            case 0, 1 -> back(BackupType.FULL);
            case 2, 3, 4 -> back(BackupType.INCREMENTAL);
            case 5 -> back(BackupType.DIFFERENTIAL);
            case 6 -> pin();
            case 7 -> damage();
            case 8 -> wrongClock();
            case 9 -> interrupted();
            case 10 -> twoAtOnce();
            case 11 -> damageOneCopy();
            default -> clean();
        }
    }

    private List<StoredBackup> backups() {
        return new BackupCatalog(storages).backups(TestCluster.NAME);
    }

    private List<StoredBackup> restorable() {
        List<StoredBackup> all = backups();
        return all.stream()
                .filter(backup -> BackupChain.isComplete(backup, all))
                .toList();
    }

    private static Instant ended(StoredBackup backup) {
        return backup.document().orElseThrow().endedAt();
    }

    private void back(BackupType asked) {
        BackupLabel parent = restorable().stream()
                .map(StoredBackup::label)
                .filter(label ->
                        asked == BackupType.INCREMENTAL || !label.type().needsParent())
                .reduce((older, newer) -> newer)
                .orElse(null);
        BackupType type = parent == null || !asked.needsParent() ? BackupType.FULL : asked;
        BackupLabel label = new BackupLabel(now, type, "r8f3");
        now = now.plus(Duration.ofHours(1));
        Lsn start = new Lsn(segment * SEGMENT + 40);
        archive(3);
        Backups.publish(
                new StorageSet(storages),
                label,
                type.needsParent() ? parent : null,
                now,
                start,
                new Lsn(segment * SEGMENT));
        archive(2);
        taken.add(label);
        story.add(label + " on " + parent);
    }

    private void archive(int segments) {
        for (int i = 0; i < segments; i++) {
            String name = String.format("00000001%08X%08X", segment / 4096, segment % 4096);
            for (Storage storage : storages) {
                try (StoredObjectWriter writer = storage.create(Backups.PATHS.folder() + "/wal/" + name.substring(0, 8)
                        + "/" + name.substring(8, 16) + "/" + name + ".zst")) {
                    writer.write(new byte[100]);
                    writer.commit();
                }
            }
            segment++;
        }
    }

    private void pin() {
        List<StoredBackup> all = backups();
        StoredBackup any = all.get(random.nextInt(all.size()));
        PinNote note = random.nextInt(3) == 0
                ? PinNote.unpin(any.label(), now, "no longer")
                : PinNote.pin(any.label(), now, "audit", now.plus(Duration.ofDays(1 + random.nextInt(60))));
        note.write(storages.get(random.nextInt(2)), any.paths());
        story.add((note.until() == null ? "unpin " : "pin ") + any.label());
    }

    /** In all storages, so that nobody can restore it. */
    private void damage() {
        List<StoredBackup> all = backups();
        StoredBackup any = all.get(random.nextInt(all.size()));
        storages.forEach(storage -> storage.delete(any.paths().archive(any.label(), "base.tar")));
        damaged.add(any.label());
        story.add("damage " + any.label());
    }

    /** In one storage, so that the other can mend it. */
    private void damageOneCopy() throws IOException {
        List<StoredBackup> whole = backups().stream()
                .filter(backup -> backup.storages(StoredBackup.State.OK).size() == storages.size())
                .toList();
        if (whole.isEmpty()) {
            return;
        }
        StoredBackup any = whole.get(random.nextInt(whole.size()));
        String name = storages.get(random.nextInt(2)).name();
        Path archive = cluster.storage(name).resolve(any.paths().archive(any.label(), "base.tar"));
        byte[] content = Files.readAllBytes(archive);
        content[random.nextInt(content.length)] ^= 1;
        Files.write(archive, content);

        verifyStorages();

        story.add("damage and repair of " + any.label() + " in " + name);
        assertThat(backups().stream()
                        .filter(backup -> backup.label().equals(any.label()))
                        .flatMap(backup -> backup.storages(StoredBackup.State.DAMAGED).stream()))
                .as("%s", story)
                .isEmpty();
    }

    private JobReport verifyStorages() {
        var type = new VerifyStorageJobType();
        return JobRun.of(type, cluster, RecordBinder.fromMap(type.settings(), Map.of("every", "1d")))
                .attempt()
                .completed()
                .report();
    }

    private void requireThatDamageIsReported() {
        String findings = verifyStorages().findings().toString();
        assertThat(backups().stream().map(StoredBackup::label).filter(damaged::contains))
                .as("%s", story)
                .allMatch(label -> findings.contains(label.toString()));
    }

    /** Nobody has confirmed anything: the run must delete nothing. */
    private void wrongClock() {
        Instant wrong = random.nextBoolean()
                ? now.plus(Duration.ofDays(20 + random.nextInt(400)))
                : now.minus(Duration.ofDays(3 + random.nextInt(40)));
        List<String> before = files();
        Throwable refused = catchThrowable(() -> retention(cluster, wrong, false));
        story.add("run at " + wrong + ": " + refused);
        assertThat(files()).as("%s", story).isEqualTo(before);
    }

    /** A storage fails at any call; the next run goes on. */
    private void interrupted() {
        List<Call> calls = List.of(Call.values());
        Call call = calls.get(random.nextInt(calls.size()));
        int nth = 1 + random.nextInt(20);
        String broken = storages.get(random.nextInt(2)).name();
        TestCluster faulty = cluster.behind(storage -> storage.name().equals(broken)
                ? new FaultyStorage(storage).failFrom(call, nth, FailureKind.STORAGE_UNAVAILABLE)
                : storage);
        Set<BackupLabel> needed = needed();
        Throwable failed = catchThrowable(() -> retention(faulty, now, true));
        story.add("run at " + now + " that breaks at " + call + " " + nth + ": " + failed);
        assertThat(failed)
                .as("%s", story)
                .satisfiesAnyOf(
                        none -> assertThat(none).isNull(),
                        loud -> assertThat(loud).isInstanceOf(NightshiftException.class));
        requireThere(needed);
    }

    /** The lease keeps this from happening; if it does all the same, nothing is lost. */
    private void twoAtOnce() {
        Set<BackupLabel> needed = needed();
        List<CompletableFuture<Void>> both = List.of(
                CompletableFuture.runAsync(() -> retention(cluster, now, true)),
                CompletableFuture.runAsync(() -> retention(cluster, now, true)));
        List<Throwable> failures = both.stream()
                .map(one -> catchThrowable(one::join))
                .filter(Objects::nonNull)
                .toList();
        story.add("two runs at " + now + ": " + failures);
        requireThere(needed);
    }

    /** Without new backups and with a run each night, what nothing keeps goes, in all storages. */
    private void requireThatAllGoesInTheEnd() {
        for (int night = 0; night < 3; night++) {
            now = now.plus(Duration.ofDays(1));
            needed().forEach(label -> neededAt.put(label, now));
            retention(cluster, now, true);
        }
        Inventory left = Inventory.of(TestCluster.NAME, storages, List.of("far", "near"), now);
        assertThat(settings(true).policy().decide(left.candidates(), now).expired())
                .filteredOn(backup ->
                        neededAt.getOrDefault(backup.label(), Instant.MIN).isBefore(now.minus(Duration.ofDays(2))))
                .as("%s", story)
                .isEmpty();
        assertThat(left.debris()).isEmpty();
        assertThat(left.broken()).isEmpty();
    }

    private void clean() {
        Set<BackupLabel> needed = needed();
        retention(cluster, now, true);
        story.add("run at " + now);
        requireThere(needed);
        requireWal();
        List<String> once = files();

        retention(cluster, now.plusSeconds(1), true);

        assertThat(files()).as("%s", story).isEqualTo(once);
    }

    private void retention(TestCluster on, Instant at, boolean confirmed) {
        var run = RememberedRun.first(RetentionJobType.NAME, TestCluster.NAME, settings(confirmed), false);
        new ExpireBackupsTasklet(run, on.clusterStorages(), Clock.fixed(at, ZoneOffset.UTC)).expire();
    }

    private static RetentionSettings settings(boolean confirmed) {
        return RecordBinder.fromMap(
                RetentionSettings.class, Map.of("window", "7d", "fulls", FULLS, "confirmed", confirmed));
    }

    /** By a plainer way of thinking than the policy's. */
    private Set<BackupLabel> needed() {
        List<StoredBackup> restorable = restorable();
        List<StoredBackup> wanted = new ArrayList<>();
        Instant begin = now.minus(WINDOW);
        restorable.stream().filter(backup -> ended(backup).isAfter(begin)).forEach(wanted::add);
        restorable.stream()
                .filter(backup -> !ended(backup).isAfter(begin))
                .reduce((older, newer) -> newer)
                .ifPresent(wanted::add);
        List<StoredBackup> fulls = restorable.stream()
                .filter(backup -> !backup.label().type().needsParent())
                .toList();
        Set<BackupLabel> newestFulls = new HashSet<>();
        fulls.subList(Math.max(0, fulls.size() - FULLS), fulls.size()).forEach(full -> newestFulls.add(full.label()));
        for (StoredBackup backup : restorable) {
            if (newestFulls.contains(BackupChain.of(backup, restorable).full().label())
                    || backup.pin().filter(pin -> pin.pins(now)).isPresent()) {
                wanted.add(backup);
            }
        }
        Set<BackupLabel> labels = new TreeSet<>();
        wanted.forEach(backup -> BackupChain.of(backup, restorable).links().forEach(link -> labels.add(link.label())));
        return labels;
    }

    private void requireThere(Set<BackupLabel> needed) {
        assertThat(restorable().stream().map(StoredBackup::label).toList())
                .as("%s", story)
                .containsAll(needed);
        Set<BackupLabel> readSinceLastNight = new TreeSet<>();
        neededAt.forEach((label, at) -> {
            if (at.isAfter(now.minus(RetentionPast.NIGHT)) && !damaged.contains(label)) {
                readSinceLastNight.add(label);
            }
        });
        assertThat(backups().stream().map(StoredBackup::label).toList())
                .as("what was needed a few hours ago, %s", story)
                .containsAll(readSinceLastNight);
    }

    /**
     * What single backups need, and all from the backup on with which the window begins. Where a newer one began it and was
     * damaged since, the WAL before that one has gone already.
     */
    private void requireWal() {
        Set<Long> wanted = new TreeSet<>();
        List<StoredBackup> restorable = restorable();
        for (StoredBackup backup : restorable) {
            long first = backup.document().orElseThrow().startLsn().position() / SEGMENT;
            long behind = backup.document().orElseThrow().endLsn().position() / SEGMENT;
            LongStream.range(first, behind).forEach(wanted::add);
        }
        backups().stream()
                .filter(backup -> !ended(backup).isAfter(now.minus(WINDOW)))
                .reduce((older, newer) -> newer)
                .filter(newest ->
                        restorable.stream().anyMatch(backup -> backup.label().equals(newest.label())))
                .ifPresent(opener -> LongStream.range(
                                opener.document().orElseThrow().startLsn().position() / SEGMENT, segment)
                        .forEach(wanted::add));
        for (Storage storage : storages) {
            try (Stream<StoredObject> wal = storage.list(Backups.PATHS.folder() + "/wal/00000001/")) {
                assertThat(wal.map(object -> number(object.name())).toList())
                        .as("%s", story)
                        .containsAll(wanted);
            }
        }
    }

    private static long number(String name) {
        String segment = name.substring(name.length() - 28, name.length() - 4);
        return Long.parseLong(segment.substring(8, 16), 16) * 4096 + Long.parseLong(segment.substring(16), 16);
    }

    /** All but what the runs say. */
    private List<String> files() {
        return storages.stream()
                .flatMap(storage -> {
                    try (Stream<StoredObject> objects = storage.list("")) {
                        return objects.map(object -> storage.name() + ":" + object.name()).toList().stream();
                    }
                })
                .filter(name -> !name.contains("/retention/"))
                .toList();
    }
}
