package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Judges the members of an archive whose index is damaged, by the manifest alone, as {@link FrameWalk} finds its frames.
 * Behind a hole it picks the tar up at the next header: members begin at multiples of 512 bytes in every frame.
 */
final class UnindexedCheck implements FrameWalk.Listener {

    private static final int MOST_LOST = 100;

    private final String object;
    private final long storedBytes;
    private final ArchivePlace place;
    private final ManifestCheck manifest;
    private final ContentCheck content;
    private final Consumer<Damage> damages;
    private final Members members = new Members();
    /** Null while nobody knows where in the tar the next frame belongs. */
    private @Nullable TarScanner tar = new TarScanner("archive", members);

    private long frameFrom;
    private long frameTo;
    private long firstHole = -1;
    private long lastHole;
    private boolean hasIndex;

    UnindexedCheck(
            String object,
            long storedBytes,
            ArchivePlace place,
            ManifestCheck manifest,
            ContentCheck content,
            Consumer<Damage> damages) {
        this.object = object;
        this.storedBytes = storedBytes;
        this.place = place;
        this.manifest = manifest;
        this.content = content;
        this.damages = damages;
    }

    @Override
    public void sound(long from, long to, byte[] raw, int length) {
        frameFrom = from;
        frameTo = to;
        if (hasIndex) {
            behindTheEnd(from, to);
            return;
        }
        boolean lost = tar == null || members.isDamaged();
        Optional<Integer> header = lost ? firstHeader(raw, length) : Optional.empty();
        if (header.isPresent()) {
            restart();
            scan(raw, header.get(), length);
        } else if (tar != null) {
            scan(raw, 0, length);
        }
    }

    @Override
    public void hole(long from, long to, int rawLength, String what) {
        if (hasIndex) {
            behindTheEnd(from, to);
        } else if (hasTarEnd()) {
            index(from, to);
        } else {
            firstHole = firstHole < 0 ? from : firstHole;
            lastHole = to;
            damages.accept(new Damage(object, from, to, members.path(), what));
            members.damaged();
            if (rawLength < 0 || tar == null || !tar.lose(rawLength)) {
                tar = null;
            }
        }
    }

    @Override
    public void index(long from, long to) {
        if (hasIndex) {
            behindTheEnd(from, to);
            return;
        }
        hasIndex = true;
        String what = to < storedBytes ? "the index is not at the end of the archive" : "the index is damaged";
        damages.accept(new Damage(object, from, to, "", what + comfort()));
    }

    private void behindTheEnd(long from, long to) {
        damages.accept(new Damage(object, from, to, "", "lies behind the end of the archive"));
    }

    private String comfort() {
        return isWhole() ? "; all files are readable without it" : "";
    }

    private boolean isWhole() {
        return firstHole < 0 && hasTarEnd();
    }

    /** The archive has ended; returns whether all members were seen. */
    boolean end() {
        if (!hasIndex) {
            damages.accept(new Damage(object, storedBytes, storedBytes, "", "ends before its index" + comfort()));
        }
        return isWhole();
    }

    /** Names what was lost with the holes; the files that the manifest lists and nobody has seen. */
    void lost(List<String> paths) {
        long from = Math.max(0, firstHole);
        paths.stream()
                .limit(MOST_LOST)
                .forEach(path -> damages.accept(new Damage(object, from, lastHole, path, "is lost")));
        if (paths.size() > MOST_LOST) {
            damages.accept(new Damage(object, from, lastHole, "", (paths.size() - MOST_LOST) + " more files are lost"));
        }
    }

    private boolean hasTarEnd() {
        return tar != null && tar.isComplete();
    }

    private void scan(byte[] raw, int from, int length) {
        TarScanner scanner = tar;
        if (scanner == null) {
            return;
        }
        try {
            scanner.accept(raw, from, length - from);
        } catch (NightshiftException noTar) {
            damages.accept(new Damage(object, frameFrom, frameTo, members.path(), String.valueOf(noTar.getMessage())));
            firstHole = firstHole < 0 ? frameFrom : firstHole;
            lastHole = frameTo;
            members.damaged();
            tar = null;
        }
    }

    private void restart() {
        members.forget();
        tar = new TarScanner("archive", members);
    }

    /**
     * Where a member begins in the frame. Within it, behind the rest of a large file, a header counts only if the manifest
     * has such a file: the content of a file may be a tar, too.
     */
    private Optional<Integer> firstHeader(byte[] raw, int length) {
        for (int at = 0; at + TarHeader.BLOCK <= length; at += TarHeader.BLOCK) {
            Optional<TarHeader> header = raw[at] == 0 ? Optional.empty() : TarHeader.at(raw, at);
            if (header.isPresent() && (at == 0 || isExpected(header.get()))) {
                return Optional.of(at);
            }
        }
        return Optional.empty();
    }

    private boolean isExpected(TarHeader header) {
        String path = place.manifestPath(header.path());
        return manifest.expects(path, header.size()) || WalCheck.isSegment(path);
    }

    /** The member that passes, and what is known of it. */
    private final class Members implements TarScanner.Listener {

        private ManifestChecksum.Digest checksum = ManifestChecksum.NONE.digest();
        private String current = "";
        private long size;
        private long from;
        private boolean file;
        private boolean damaged;

        /** Of the file in whose midst we are; "" between files. */
        String path() {
            return current;
        }

        boolean isDamaged() {
            return damaged;
        }

        void damaged() {
            if (!current.isEmpty()) {
                damaged = true;
                manifest.foundDamaged(current);
            }
        }

        void forget() {
            current = "";
            damaged = false;
        }

        @Override
        public void header(TarHeader header, long offset, byte[] block) {
            current = place.manifestPath(header.path());
            size = header.size();
            from = frameFrom;
            damaged = false;
            file = header.type() == MemberType.FILE;
            checksum = manifest.algorithm(current).digest();
            content.begin(current, size);
        }

        @Override
        public void content(byte[] bytes, int offset, int length) {
            checksum.update(bytes, offset, length);
            content.content(bytes, offset, length);
        }

        @Override
        public void filler(byte[] bytes, int offset, int length) {}

        @Override
        public void memberEnd() {
            if (file && !damaged) {
                report(manifest.found(current, size, checksum.hex()));
                report(content.judge());
            }
            forget();
        }

        private void report(String wrong) {
            if (!wrong.isEmpty()) {
                damages.accept(new Damage(object, from, frameTo, current, wrong));
            }
        }
    }
}
