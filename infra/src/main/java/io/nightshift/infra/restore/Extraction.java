package io.nightshift.infra.restore;

import io.nightshift.infra.backup.ArchiveIndex;
import io.nightshift.infra.backup.ArchiveMember;
import io.nightshift.infra.backup.ArchivePlace;
import io.nightshift.infra.backup.ArchiveReader;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.MemberType;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Workers;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks the archives of a backup into a data directory: several threads, each a run of members at a time, straight from
 * their frames. An archive that no copy has an index of is read from its beginning by one thread.
 */
final class Extraction {

    /** What becomes of the files. */
    enum Use {
        /** They are written as they are, files of changed blocks too. */
        AS_THEY_ARE,
        /** Those that are expected are written, or changed by the blocks that have; nothing else is. */
        GROUND_OF_NEWER,
        /** They are written, or changed by the blocks that have, and a server can start. */
        NEWEST
    }

    /** Some members that follow each other in an archive; all of them where {@code members} is null. */
    private record Run(
            BackupDocument.Archive archive, @Nullable List<ArchiveMember> members) {}

    private final BackupCopies copies;
    private final DataDirectory target;
    private final TablespacePlan plan;
    private final ExpectedFiles expected;
    private final Use use;
    private final Progress progress;
    private final Iterator<BackupDocument.Archive> archives;
    private final Map<String, ArchiveReader> readers = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable ControlFile> control = new AtomicReference<>();
    private final Set<String> leftOut = new ConcurrentSkipListSet<>();
    private final AtomicLong files = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private BackupDocument.@Nullable Archive current;
    private @Nullable Iterator<List<ArchiveMember>> runs;

    Extraction(
            BackupCopies copies,
            DataDirectory target,
            TablespacePlan plan,
            ExpectedFiles expected,
            Use use,
            Progress progress) {
        this.use = use;
        this.copies = copies;
        this.target = target;
        this.plan = plan;
        this.expected = expected;
        this.progress = progress;
        this.archives = copies.document().archives().iterator();
    }

    /** Returns when everything that the manifest lists was written, but the control file. */
    void run(int workers, Cancellation cancellation) {
        Workers.run(workers, "export", cancellation, stop -> {
            var contents = new CheckedContent(progress, stop);
            for (Optional<Run> next = next(); next.isPresent(); next = next()) {
                stop.check();
                extract(next.get(), contents);
            }
        });
        expected.requireAll();
    }

    ControlFile control() {
        ControlFile found = control.get();
        if (found == null) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED, "the backup holds no file " + DataDirectory.CONTROL_FILE);
        }
        found.requireOf(copies.document().systemIdentifier());
        return found;
    }

    Set<String> leftOut() {
        return leftOut;
    }

    long files() {
        return files.get();
    }

    long bytes() {
        return bytes.get();
    }

    private synchronized Optional<Run> next() {
        while (true) {
            while (runs == null || !runs.hasNext()) {
                if (!archives.hasNext()) {
                    return Optional.empty();
                }
                current = archives.next();
                Optional<ArchiveIndex> index = index(current);
                if (index.isEmpty()) {
                    return Optional.of(new Run(current, null));
                }
                runs = new MemberRuns(index.get());
            }
            Run run = new Run(Objects.requireNonNull(current), runs.next());
            if (isWanted(run)) {
                return Optional.of(run);
            }
        }
    }

    /** Not if all files of it are there already, or not needed. */
    private boolean isWanted(Run run) {
        var place = ArchivePlace.of(run.archive().name());
        return Objects.requireNonNull(run.members()).stream()
                .anyMatch(member -> use == Use.GROUND_OF_NEWER
                        ? expected.isMissing(place.manifestPath(member.path()))
                        : member.type() != MemberType.FILE || !expected.isKept(place.manifestPath(member.path())));
    }

    /** Of the first copy that has one. */
    private Optional<ArchiveIndex> index(BackupDocument.Archive archive) {
        try {
            return Optional.of(copies.read(storage -> {
                ArchiveReader reader = reader(storage, archive);
                return reader.index()
                        .orElseThrow(() -> new NightshiftException(
                                FailureKind.DATA_DAMAGED, reader.indexDamage().orElse("the index is damaged")));
            }));
        } catch (NightshiftException none) {
            if (none.kind() == FailureKind.DATA_DAMAGED) {
                return Optional.empty();
            }
            throw none;
        }
    }

    private void extract(Run run, CheckedContent contents) {
        var place = ArchivePlace.of(run.archive().name());
        MemberWriter done = copies.read(storage -> {
            var writer = new MemberWriter(place, target, expected, plan, use, contents);
            boolean complete = false;
            try {
                visit(reader(storage, run.archive()), run, writer);
                complete = true;
                return writer;
            } catch (NightshiftException failed) {
                throw named(failed, place, run, writer);
            } finally {
                if (!complete) {
                    target.remove(writer.written());
                }
            }
        });
        expected.came(done.written());
        expected.came(done.leftOut());
        expected.came(done.changed());
        done.control().ifPresent(control::set);
        leftOut.addAll(done.leftOut());
        files.addAndGet(done.written().size() + done.changed().size());
        bytes.addAndGet(done.bytes());
    }

    private static void visit(ArchiveReader reader, Run run, MemberWriter writer) {
        if (run.members() == null) {
            reader.visit(writer);
        } else {
            reader.visit(run.members(), writer);
        }
    }

    private ArchiveReader reader(Storage storage, BackupDocument.Archive archive) {
        return readers.computeIfAbsent(
                storage.name() + "/" + archive.object(),
                any -> ArchiveReader.open(storage, copies.object(archive.object())));
    }

    /** A damaged frame does not know its files; we know which one was being written. */
    private static NightshiftException named(
            NightshiftException failed, ArchivePlace place, Run run, MemberWriter writer) {
        List<ArchiveMember> members = run.members();
        if (failed.kind() != FailureKind.DATA_DAMAGED
                || StorageFailures.isMissing(failed)
                || members == null
                || writer.members() >= members.size()) {
            return failed;
        }
        String path = place.manifestPath(members.get(writer.members()).path());
        String fact = String.valueOf(failed.getMessage());
        return fact.contains(path)
                ? failed
                : new NightshiftException(
                        FailureKind.DATA_DAMAGED, "file " + path + ": " + fact, failed.hint(), failed);
    }
}
