package io.nightshift.infra.restore;

import io.nightshift.infra.replication.ManifestFile;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a restore writes of the older backups of a chain: the files of which the newest has only the changed blocks. At most,
 * because those blocks are counted with the newest too.
 */
final class GroundBytes {

    private static final String TABLESPACES = "pg_tblspc/";

    private GroundBytes() {}

    /**
     * By the oid of the tablespace; "" for the data directory. DATA_DAMAGED if a manifest is, or a file is lost.
     *
     * @param chain oldest first
     */
    static Map<String, Long> byTablespace(List<BackupCopies> chain) {
        Map<String, Long> bytes = new HashMap<>();
        if (chain.size() == 1) {
            return bytes;
        }
        var files = new ChainFiles(new ExpectedFiles(chain.get(chain.size() - 1).manifest()).paths());
        for (int link = chain.size() - 2; link >= 0; link--) {
            Map<String, ManifestFile> listed = new ExpectedFiles(chain.get(link).manifest()).missing();
            Set<String> needed = files.ofTheOneBefore(listed::containsKey);
            needed.forEach(path -> {
                ManifestFile file = listed.get(path);
                bytes.merge(tablespace(path), file == null ? 0 : file.size(), Long::sum);
            });
        }
        files.requireAll();
        return bytes;
    }

    private static String tablespace(String path) {
        return path.startsWith(TABLESPACES)
                ? path.substring(TABLESPACES.length(), path.indexOf('/', TABLESPACES.length()))
                : "";
    }
}
