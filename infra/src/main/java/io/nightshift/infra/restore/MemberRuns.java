package io.nightshift.infra.restore;

import io.nightshift.infra.backup.ArchiveIndex;
import io.nightshift.infra.backup.ArchiveMember;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** The members of an archive in runs of some megabytes, cut where a frame begins: no frame is unpacked twice. */
final class MemberRuns implements Iterator<List<ArchiveMember>> {

    static final long ENOUGH = 16L << 20;

    private final ArchiveIndex index;
    private final Iterator<ArchiveMember> members;
    private @Nullable ArchiveMember next;

    MemberRuns(ArchiveIndex index) {
        this.index = index;
        this.members = index.members().iterator();
        advance();
    }

    @Override
    public boolean hasNext() {
        return next != null;
    }

    @Override
    public List<ArchiveMember> next() {
        ArchiveMember first = next;
        if (first == null) {
            throw new NoSuchElementException();
        }
        List<ArchiveMember> run = new ArrayList<>();
        for (ArchiveMember now = first; now != null && !(isEnough(first, now) && beginsFrame(now)); now = next) {
            run.add(now);
            advance();
        }
        return run;
    }

    private static boolean isEnough(ArchiveMember first, ArchiveMember now) {
        return now.headerOffset() - first.headerOffset() >= ENOUGH;
    }

    private boolean beginsFrame(ArchiveMember member) {
        return index.frame(index.frameAt(member.headerOffset())).rawOffset() == member.headerOffset();
    }

    private void advance() {
        next = members.hasNext() ? members.next() : null;
    }
}
