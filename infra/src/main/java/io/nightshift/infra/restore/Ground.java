package io.nightshift.infra.restore;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a restore writes of the older backups of a chain: the files of which the newest has only the changed blocks.
 *
 * @param files of each of them, oldest first
 */
record Ground(List<ExpectedFiles> files) {

    private static final String TABLESPACES = "pg_tblspc/";

    Ground {
        files = List.copyOf(files);
    }

    /**
     * DATA_DAMAGED if a manifest is, or a file is lost.
     *
     * @param chain oldest first
     */
    static Ground of(List<BackupCopies> chain) {
        Deque<ExpectedFiles> older = new ArrayDeque<>();
        int newest = chain.size() - 1;
        if (newest > 0) {
            var open = new ChainFiles(new ExpectedFiles(chain.get(newest).manifest()).paths());
            for (int link = newest - 1; link >= 0; link--) {
                var listed = new ExpectedFiles(chain.get(link).manifest());
                older.addFirst(listed.only(open.ofTheOneBefore(listed.paths()::contains)));
            }
            open.requireAll();
        }
        return new Ground(List.copyOf(older));
    }

    /**
     * Bytes by the oid of the tablespace; "" for the data directory. At most, because changed blocks are counted with the
     * newest backup too.
     */
    Map<String, Long> bytesByTablespace() {
        Map<String, Long> bytes = new HashMap<>();
        files.forEach(older ->
                older.missing().forEach((path, file) -> bytes.merge(tablespace(path), file.size(), Long::sum)));
        return bytes;
    }

    private static String tablespace(String path) {
        return path.startsWith(TABLESPACES)
                ? path.substring(TABLESPACES.length(), path.indexOf('/', TABLESPACES.length()))
                : "";
    }
}
