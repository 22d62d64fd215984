package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.wal.KeptWal;
import io.nightshift.infra.wal.ListedWal;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/**
 * What one storage holds of a cluster, and what of it expires.
 *
 * @param backups that it holds and that are kept
 * @param expired backups that it holds and that nothing keeps
 * @param due of those what is deleted by now
 * @param wal of each system
 */
record Holding(
        Storage storage, List<Candidate> backups, List<Candidate> expired, List<Candidate> due, List<SystemWal> wal) {

    Holding {
        backups = List.copyOf(backups);
        expired = List.copyOf(expired);
        due = List.copyOf(due);
        wal = List.copyOf(wal);
    }

    /** @param wal of each system of which that is known */
    static Holding of(
            Storage storage, RetentionDecision decision, List<SystemWal> wal, RetentionPast past, Instant now) {
        return new Holding(
                storage,
                heldBy(storage, decision.kept()),
                heldBy(storage, decision.expired()),
                heldBy(storage, decision.due(past, now)),
                wal);
    }

    private static List<Candidate> heldBy(Storage storage, List<Candidate> backups) {
        return backups.stream()
                .filter(backup -> backup.holders().contains(storage.name()))
                .toList();
    }

    /** Oldest first within each system. */
    List<StoredObject> dueWal() {
        return wal.stream().flatMap(system -> system.due().stream()).toList();
    }

    boolean expires() {
        return !expired.isEmpty()
                || wal.stream().anyMatch(system -> !system.expired().isEmpty());
    }

    long bytes() {
        return sum(backups) + sum(expired) + walBytes();
    }

    long keptBytes() {
        return bytes() - sum(expired) - expiredWalBytes();
    }

    /** What is deleted by now. */
    long dueBytes() {
        return sum(due) + objectBytes(dueWal());
    }

    /** What of it nobody has let expire before. */
    Going going(RetentionPast past, Instant now) {
        List<Candidate> fresh = expired.stream()
                .filter(backup -> past.expiredSince(backup.label()).isEmpty())
                .toList();
        return new Going(
                storage.name(),
                sum(fresh) + wal.stream().mapToLong(SystemWal::fresh).sum(),
                bytes(),
                fresh.stream()
                        .filter(backup -> !past.announced(backup.label(), now))
                        .toList(),
                wal.stream().mapToLong(SystemWal::surprising).sum());
    }

    /** Of what is kept, the WAL that will not be in a week. */
    long leavingWalBytes() {
        return wal.stream().mapToLong(SystemWal::leaving).sum();
    }

    /** Bytes that came since then and are kept. */
    long keptSince(Instant time) {
        return sum(backups.stream()
                        .filter(backup -> backup.endedAt().isAfter(time))
                        .toList())
                + wal.stream()
                        .mapToLong(system -> system.listed().bytesSince(time))
                        .sum();
    }

    private long walBytes() {
        return wal.stream().mapToLong(system -> system.listed().bytes()).sum();
    }

    private long expiredWalBytes() {
        return wal.stream().mapToLong(system -> objectBytes(system.expired())).sum();
    }

    private static long sum(List<Candidate> backups) {
        return backups.stream().mapToLong(Candidate::bytes).sum();
    }

    private static long objectBytes(Collection<StoredObject> objects) {
        return objects.stream().mapToLong(StoredObject::bytes).sum();
    }

    /**
     * The WAL of one system in one storage.
     *
     * @param expired what nothing keeps
     * @param due what of it is deleted by now: for a night nothing has kept it
     * @param leaving bytes that are kept now and will not be in a week
     * @param fresh bytes that no earlier run has let expire
     * @param surprising bytes of which no earlier run has even said that they would
     */
    record SystemWal(
            ListedWal listed,
            List<StoredObject> expired,
            List<StoredObject> due,
            long leaving,
            long fresh,
            long surprising) {

        SystemWal {
            expired = List.copyOf(expired);
            due = List.copyOf(due);
        }

        /** @param lingering that backups need which expire and are not deleted yet */
        static SystemWal of(
                ListedWal listed, KeptWal kept, KeptWal lingering, Forecast forecast, RetentionPast past, Instant now) {
            BackupPaths system = kept.paths();
            Lsn later = forecast.from(system);
            long gone = objectBytes(listed.expired(kept, Instant.MIN));
            return new SystemWal(
                    listed,
                    listed.expired(kept, now),
                    listed.expired(
                            (timeline, start, end) -> kept.keeps(timeline, start, end)
                                    || lingering.keeps(timeline, start, end)
                                    || past.keptWithinANight(system, timeline, start, end, now),
                            now.minus(RetentionPast.NIGHT)),
                    objectBytes(listed.expired(
                                    (timeline, start, end) -> kept.keeps(timeline, start, end) && later.isBefore(end),
                                    Instant.MIN))
                            - gone,
                    objectBytes(listed.expired(
                            (timeline, start, end) ->
                                    kept.keeps(timeline, start, end) || past.expired(system, timeline, start, end),
                            Instant.MIN)),
                    objectBytes(listed.expired(
                            (timeline, start, end) -> kept.keeps(timeline, start, end)
                                    || past.announced(system, timeline, start, end, now),
                            Instant.MIN)));
        }
    }
}
