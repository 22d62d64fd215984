package io.nightshift.infra.restore;

import io.nightshift.infra.backup.ArchivePlace;
import io.nightshift.infra.backup.MemberVisitor;
import io.nightshift.infra.backup.TarHeader;
import io.nightshift.infra.incremental.IncrementalFile;
import io.nightshift.infra.incremental.RelationSegment;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Extraction.Use;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes members of one archive into a data directory, each compared with the manifest. What it has written can be taken
 * back, so that the same members can be read from another copy. For one thread.
 */
final class MemberWriter implements MemberVisitor {

    /** A server that finds one of these follows or recovers from somewhere, by the source's own settings. */
    static final Set<String> SIGNALS = Set.of("standby.signal", "recovery.signal");

    static final String TABLESPACE_MAP = "tablespace_map";

    static final String LABEL = "backup_label";

    private static final int LARGEST_CONTROL_FILE = 1 << 20;

    private final ArchivePlace place;
    private final DataDirectory target;
    private final ExpectedFiles expected;
    private final TablespacePlan plan;
    private final Use use;
    private final CheckedContent contents;
    private final List<String> written = new ArrayList<>();
    private final List<String> changed = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();
    private @Nullable ControlFile control;
    private long bytes;
    private int members;

    MemberWriter(
            ArchivePlace place,
            DataDirectory target,
            ExpectedFiles expected,
            TablespacePlan plan,
            Use use,
            CheckedContent contents) {
        this.place = place;
        this.target = target;
        this.expected = expected;
        this.plan = plan;
        this.use = use;
        this.contents = contents;
    }

    @Override
    public void member(TarHeader header, InputStream content) throws IOException {
        String path = place.manifestPath(header.path());
        if (use != Use.GROUND_OF_NEWER || expected.isMissing(path)) {
            switch (header.type()) {
                case DIRECTORY -> target.makeDirectory(path, header.mode());
                case LINK -> requireTablespace(path);
                case FILE -> file(path, header, content);
            }
        }
        members++;
    }

    /** Files that can be taken back. */
    List<String> written() {
        return written;
    }

    /** Files of changed blocks, which are in the files that they change by now; they cannot be taken back. */
    List<String> changed() {
        return changed;
    }

    /** Files of the backup that were checked but belong into no data directory. */
    List<String> leftOut() {
        return leftOut;
    }

    Optional<ControlFile> control() {
        return Optional.ofNullable(control);
    }

    long bytes() {
        return bytes;
    }

    /** How many members have passed. */
    int members() {
        return members;
    }

    private void file(String path, TarHeader header, InputStream content) throws IOException {
        if (expected.isKept(path)) {
            return;
        }
        Optional<ManifestFile> listed = expected.find(path);
        if (path.equals(DataDirectory.CONTROL_FILE)) {
            control = new ControlFile(header.mode(), keep(path, header, listed, content));
            written.add(path);
        } else if (isLeftOut(path, header)) {
            contents.pass(path, listed, content, (piece, length) -> {});
            leftOut.add(path);
        } else if (use != Use.AS_THEY_ARE && RelationSegment.isIncremental(path)) {
            change(path, listed, content);
        } else if (use == Use.NEWEST && path.equals(LABEL)) {
            byte[] label =
                    BackupLabelFile.ofFull(keep(path, header, listed, content).array());
            try (FileChannel file = target.create(path, header.mode())) {
                written.add(path);
                target.write(path, file, label, label.length);
            }
        } else {
            try (FileChannel file = target.create(path, header.mode())) {
                written.add(path);
                bytes += contents.pass(
                        path, listed, content, (piece, length) -> target.write(path, file, piece, length));
            }
        }
    }

    /**
     * Puts changed blocks into the file that an older backup has left. Another copy of the same blocks makes good what one
     * could not be read of; but where one was read that is not what the manifest says, the file is spoiled.
     */
    private void change(String path, Optional<ManifestFile> listed, InputStream content) throws IOException {
        String whole = RelationSegment.wholePath(path);
        boolean[] spoiled = {true};
        InputStream watched = new FilterInputStream(content) {
            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                spoiled[0] = false;
                int count = super.read(bytes, offset, length);
                spoiled[0] = true;
                return count;
            }
        };
        boolean done = false;
        try (FileChannel file = target.open(whole)) {
            var blocks = new IncrementalFile(
                    path, new ChangedBlocks(file, target.path().resolve(whole)));
            bytes += contents.pass(path, listed, watched, (piece, length) -> blocks.accept(piece, 0, length));
            blocks.finish();
            changed.add(path);
            done = true;
        } finally {
            if (!done && spoiled[0]) {
                target.remove(List.of(whole));
            }
        }
    }

    private ByteBuffer keep(String path, TarHeader header, Optional<ManifestFile> listed, InputStream content)
            throws IOException {
        if (header.size() > LARGEST_CONTROL_FILE) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED, "file " + path + " has " + header.size() + " bytes");
        }
        var kept = new ByteArrayOutputStream();
        bytes += contents.pass(path, listed, content, (piece, length) -> kept.write(piece, 0, length));
        return ByteBuffer.wrap(kept.toByteArray());
    }

    private boolean isLeftOut(String path, TarHeader header) {
        if (!path.equals(TABLESPACE_MAP)) {
            return SIGNALS.contains(path);
        }
        if (plan.elsewhere().isEmpty() && header.size() > 0) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "file tablespace_map names tablespaces, but backup.json knows of none outside the data directory");
        }
        return !plan.elsewhere().isEmpty();
    }

    /** The links are ours: those of the source lead to its own tablespaces. */
    private static void requireTablespace(String path) {
        if (!path.matches("pg_tblspc/[0-9]+")) {
            throw new NightshiftException(FailureKind.DATA_DAMAGED, "link " + path + " is none that a server sends");
        }
    }
}
