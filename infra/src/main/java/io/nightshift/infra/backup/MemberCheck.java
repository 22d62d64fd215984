package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.Iterator;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Follows the unpacked frames of an archive and judges each member: its header against the index, its content against
 * the index and the manifest. Frames come in order; a damaged one leaves a hole, and the members in it are named.
 */
final class MemberCheck {

    private final String object;
    private final ArchivePlace place;
    private final ManifestCheck manifest;
    private final ContentCheck content;
    private final Consumer<Damage> damages;
    private final Iterator<ArchiveMember> members;
    private final byte[] header = new byte[TarHeader.BLOCK];
    private @Nullable ArchiveMember member;
    private ManifestChecksum.@Nullable Digest checksum;
    private boolean damaged;
    private long firstStored;

    MemberCheck(
            String object,
            ArchivePlace place,
            ArchiveIndex index,
            ManifestCheck manifest,
            ContentCheck content,
            Consumer<Damage> damages) {
        this.object = object;
        this.place = place;
        this.manifest = manifest;
        this.content = content;
        this.damages = damages;
        this.members = index.members().iterator();
        next();
    }

    void sound(ArchiveFrame frame, byte[] raw) {
        for (ArchiveMember now = member; now != null && now.headerOffset() < frame.rawEnd(); now = member) {
            takeHeader(now, frame, raw);
            takeContent(now, frame, raw);
            if (now.endOffset() > frame.rawEnd()) {
                return;
            }
            end(now, frame);
        }
    }

    void hole(ArchiveFrame frame, String what) {
        boolean named = false;
        for (ArchiveMember now = member; now != null && now.headerOffset() < frame.rawEnd(); now = member) {
            damages.accept(
                    new Damage(object, frame.storedOffset(), frame.storedEnd(), place.manifestPath(now.path()), what));
            damaged = true;
            named = true;
            if (now.endOffset() > frame.rawEnd()) {
                return;
            }
            end(now, frame);
        }
        if (!named) {
            damages.accept(new Damage(object, frame.storedOffset(), frame.storedEnd(), "", what));
        }
    }

    private void takeHeader(ArchiveMember now, ArchiveFrame frame, byte[] raw) {
        long from = Math.max(now.headerOffset(), frame.rawOffset());
        long to = Math.min(now.contentOffset(), frame.rawEnd());
        if (from >= to) {
            return;
        }
        if (from == now.headerOffset()) {
            firstStored = frame.storedOffset();
        }
        System.arraycopy(
                raw, (int) (from - frame.rawOffset()), header, (int) (from - now.headerOffset()), (int) (to - from));
        if (to == now.contentOffset() && !damaged) {
            judgeHeader(now, frame);
        }
    }

    private void judgeHeader(ArchiveMember now, ArchiveFrame frame) {
        try {
            TarHeader found = TarHeader.parse(header, object);
            if (found.path().equals(now.path()) && found.size() == now.size() && found.type() == now.type()) {
                return;
            }
            report(now, frame, "the archive holds " + found.path() + " of " + found.size() + " bytes in its place");
        } catch (NightshiftException unreadable) {
            report(now, frame, String.valueOf(unreadable.getMessage()));
        }
    }

    private void takeContent(ArchiveMember now, ArchiveFrame frame, byte[] raw) {
        long from = Math.max(now.contentOffset(), frame.rawOffset());
        long to = Math.min(now.contentOffset() + now.size(), frame.rawEnd());
        if (from < to && checksum != null) {
            checksum.update(raw, (int) (from - frame.rawOffset()), (int) (to - from));
            content.content(raw, (int) (from - frame.rawOffset()), (int) (to - from));
        }
    }

    private void end(ArchiveMember now, ArchiveFrame frame) {
        String path = place.manifestPath(now.path());
        if (now.type() == MemberType.FILE && checksum != null) {
            int crc32c = checksum.crc32c();
            if (!damaged && crc32c != now.crc32c()) {
                report(now, frame, "its content is not what was stored: its CRC32C does not match the index");
            }
            if (damaged) {
                manifest.foundDamaged(path);
            } else {
                reportAny(now, frame, manifest.found(path, now.size(), checksum.hex()));
                reportAny(now, frame, content.judge());
            }
        }
        next();
    }

    private void reportAny(ArchiveMember now, ArchiveFrame frame, String wrong) {
        if (!wrong.isEmpty()) {
            report(now, frame, wrong);
        }
    }

    private void report(ArchiveMember now, ArchiveFrame frame, String what) {
        damaged = true;
        damages.accept(new Damage(object, firstStored, frame.storedEnd(), place.manifestPath(now.path()), what));
    }

    private void next() {
        damaged = false;
        member = members.hasNext() ? members.next() : null;
        checksum = null;
        if (member != null) {
            String path = place.manifestPath(member.path());
            checksum = manifest.algorithm(path).digest();
            content.begin(path, member.size());
        }
    }
}
