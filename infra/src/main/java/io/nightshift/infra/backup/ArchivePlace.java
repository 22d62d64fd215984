package io.nightshift.infra.backup;

import java.util.Collection;

/**
 * Where the members of an archive belong in the data directory.
 *
 * @param prefix "" for {@code base.tar}, {@code pg_tblspc/16575/} for {@code 16575.tar}
 */
public record ArchivePlace(String prefix) {

    static final ArchivePlace BASE = new ArchivePlace("");

    public static ArchivePlace of(String archiveName) {
        String oid = archiveName.endsWith(".tar") ? archiveName.substring(0, archiveName.length() - 4) : archiveName;
        return oid.equals("base") ? BASE : new ArchivePlace("pg_tblspc/" + oid + "/");
    }

    /** The archive that should hold a file: its tablespace's if there is one. In-place tablespaces lie in the base. */
    public static ArchivePlace ofPath(String path, Collection<ArchivePlace> places) {
        for (ArchivePlace place : places) {
            if (!place.prefix.isEmpty() && path.startsWith(place.prefix)) {
                return place;
            }
        }
        return BASE;
    }

    public String manifestPath(String memberPath) {
        return prefix + memberPath;
    }

    /** The other way round; for paths of this place. */
    public String memberPath(String manifestPath) {
        return manifestPath.substring(prefix.length());
    }
}
