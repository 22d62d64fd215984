package io.nightshift.jobs.verify;

import io.nightshift.infra.backup.BackupCopy;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupRepair;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.Damage;
import io.nightshift.infra.backup.Verification;
import io.nightshift.infra.backup.VerificationNote;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.Storage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads copies of backups back, keeps the verdict beside each, and repairs it where another storage has better bytes. */
final class BackupReader {

    private static final int WORKERS = 2;
    /** Notes of one run follow each other by seconds. */
    private static final Duration AHEAD = Duration.ofMinutes(1);

    private final RunContext run;
    private final Places places;
    private final Repairs repairs;
    private final Clock clock;

    BackupReader(RunContext run, Places places, Repairs repairs, Clock clock) {
        this.run = run;
        this.places = places;
        this.repairs = repairs;
        this.clock = clock;
    }

    /** Whether it was read; what an expiry has taken meanwhile is not. */
    boolean read(BackupReading reading, Storage storage) {
        BackupLabel label = reading.backup().label();
        Optional<BackupCopy> found = find(storage, label);
        if (found.isEmpty() || !isOurs(found.get())) {
            return false;
        }
        BackupCopy copy = found.get();
        Verification read = verify(copy);
        if (find(storage, label).filter(this::isOurs).isEmpty()) {
            return false;
        }
        Instant noted = reading.readAt();
        NightshiftException unnoted = null;
        try {
            noted = copy.isPublished() ? note(copy, read, noted) : noted;
        } catch (NightshiftException notKept) {
            if (read.isSound() || notKept.kind() == FailureKind.REFUSED || notKept.kind() == FailureKind.CANCELLED) {
                throw notKept;
            }
            unnoted = notKept;
        }
        if (isDamaged(read) && !repair(reading, storage, first(read), noted)) {
            if (unnoted != null) {
                repairs.remains(DamageReport.notKept(reading, first(read), unnoted));
            } else if (read.isSound()) {
                repairs.remains(DamageReport.digests(reading, first(read), repairs));
            }
        }
        return true;
    }

    static String object(BackupPaths paths, BackupLabel label) {
        return paths.backup(label);
    }

    private Optional<BackupCopy> find(Storage storage, BackupLabel label) {
        return BackupCopy.find(storage, run.cluster(), label);
    }

    private boolean isOurs(BackupCopy copy) {
        return !BackupRepair.isExpiring(copy)
                && (copy.isPublished() || BackupRepair.hasLostDocument(copy, clock.instant()));
    }

    private static boolean isDamaged(Verification read) {
        return !read.isSound() || !read.digestDamages().isEmpty();
    }

    private Verification verify(BackupCopy copy) {
        return places.read(copy.storage(), () -> read(copy), why -> unreadable(copy, why));
    }

    private static Verification unreadable(BackupCopy copy, String why) {
        Damage damage = new Damage(object(copy.paths(), copy.label()), 0, 0, "", why);
        return new Verification(copy.storage().name(), copy.label(), 0, 0, List.of(damage));
    }

    private Verification read(BackupCopy copy) {
        return new BackupVerifier(WORKERS)
                .verify(copy, others(copy.storage(), copy.label()), run.progress(), run.cancellation());
    }

    /** Copies that cannot be looked at now are of no help. */
    private List<BackupCopy> others(Storage storage, BackupLabel label) {
        List<BackupCopy> others = new ArrayList<>();
        for (Storage other : places.others(storage)) {
            try {
                find(other, label)
                        .filter(copy -> !BackupRepair.isExpiring(copy))
                        .ifPresent(others::add);
            } catch (NightshiftException away) {
                Places.requireOfStorage(away);
            }
        }
        return others;
    }

    /**
     * The newest note counts, and of two in one second the worse: this one is newer than the last, unless a clock that was
     * ahead has dated that; then it is taken back.
     */
    private Instant note(BackupCopy copy, Verification read, @Nullable Instant last) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        boolean isAhead = last != null && last.isAfter(now.plus(AHEAD));
        Instant at = last == null || isAhead || now.isAfter(last) ? now : last.plusSeconds(1);
        run.checkOwnership();
        VerificationNote.write(copy.storage(), copy.paths(), read, at);
        if (isAhead) {
            run.checkOwnership();
            VerificationNote.takeBack(copy, at);
        }
        return at;
    }

    private boolean repair(BackupReading reading, Storage storage, String damage, @Nullable Instant noted) {
        BackupLabel label = reading.backup().label();
        return repairs.attempt(
                storage.name(), object(reading.backup().paths(), label), () -> repair(storage, label, damage, noted));
    }

    private Optional<String> repair(Storage storage, BackupLabel label, String damage, @Nullable Instant noted) {
        BackupCopy copy = find(storage, label).orElseThrow();
        var repair =
                new BackupRepair(copy, others(storage, label), run.cancellation(), () -> requireOurs(storage, label));
        Optional<String> objection = repair.objection();
        if (objection.isPresent()) {
            return objection;
        }
        List<BackupRepair.Replaced> replaced = repair.repair();
        if (replaced.isEmpty()) {
            return Optional.of("no other storage that answers has better bytes");
        }
        BackupCopy mended = find(storage, label).orElseThrow();
        Verification again = verify(mended);
        if (mended.isPublished()) {
            note(mended, again, noted);
        }
        if (!again.isSound()) {
            return Optional.of("no other storage that answers has all of it whole");
        }
        if (!again.digestDamages().isEmpty()) {
            return Optional.of("no other storage that answers has its block digests whole");
        }
        String from =
                replaced.stream().map(BackupRepair.Replaced::from).distinct().collect(Collectors.joining(" and "));
        repairs.done(storage.name(), object(copy.paths(), label), "backup " + label, damage, replaced.size(), from);
        return Optional.empty();
    }

    private void requireOurs(Storage storage, BackupLabel label) {
        run.checkOwnership();
        if (find(storage, label).filter(copy -> !BackupRepair.isExpiring(copy)).isEmpty()) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "backup " + label + " in storage " + storage.name() + " is being deleted");
        }
    }

    private static String first(Verification read) {
        List<Damage> all = Stream.concat(read.damages().stream(), read.digestDamages().stream())
                .toList();
        return all.get(0) + (all.size() > 1 ? " (and " + (all.size() - 1) + " more)" : "");
    }
}
