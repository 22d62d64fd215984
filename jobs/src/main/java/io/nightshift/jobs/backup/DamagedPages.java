package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument.SourceDamage;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.TablespaceInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The pages that are wrong on the server, gathered from its warnings while it sends them. However many files are damaged,
 * little is kept: the first files with the pages that the server names, and how many there are besides. For one thread.
 */
final class DamagedPages {

    static final int MOST_FILES = 2_000;

    /** Pages are named from the beginning of their file; the total may be more than are named. */
    record DamagedFile(String path, List<Long> blocks, long total) {

        long unnamed() {
            return Math.max(0, total - blocks.size());
        }

        private DamagedFile with(long block) {
            List<Long> more = new ArrayList<>(blocks);
            more.add(block);
            return new DamagedFile(path, more, total);
        }
    }

    private final Map<String, DamagedFile> files = new LinkedHashMap<>();
    private final Map<String, Long> unchecked = new LinkedHashMap<>();
    private long pagesNotKept;

    void accept(ServerNotice notice, List<TablespaceInfo> tablespaces) {
        PageWarning.parse(notice, tablespaces).ifPresent(warning -> {
            switch (warning.kind()) {
                case WRONG_PAGE -> wrong(warning.path(), warning.number());
                case TOTAL ->
                    files.computeIfPresent(
                            warning.path(), (path, file) -> new DamagedFile(path, file.blocks(), warning.number()));
                case NOT_CHECKED -> notChecked(warning.path(), warning.number());
            }
        });
    }

    List<DamagedFile> files() {
        return List.copyOf(files.values());
    }

    /** Files that the server could not check, with the first block that it did not. */
    Map<String, Long> unchecked() {
        return unchecked;
    }

    /** Pages of files that are too many to be kept, by the warnings about them. */
    long pagesNotKept() {
        return pagesNotKept;
    }

    /**
     * For backup.json. A server that says that it found wrong pages is always believed, even if we do not understand where.
     *
     * @param sourceDamaged what the server said at its end
     */
    List<SourceDamage> listed(boolean sourceDamaged) {
        List<SourceDamage> listed = new ArrayList<>();
        for (DamagedFile file : files.values()) {
            file.blocks().forEach(block -> listed.add(new SourceDamage(file.path(), block)));
            if (file.unnamed() > 0) {
                listed.add(new SourceDamage(file.path(), -1));
            }
        }
        if (pagesNotKept > 0 || (sourceDamaged && listed.isEmpty())) {
            listed.add(new SourceDamage("", -1));
        }
        return listed;
    }

    private void wrong(String path, long block) {
        DamagedFile known = files.get(path);
        if (known != null) {
            files.put(path, known.with(block));
        } else if (files.size() < MOST_FILES) {
            files.put(path, new DamagedFile(path, List.of(block), 0));
        } else {
            pagesNotKept++;
        }
    }

    private void notChecked(String path, long block) {
        if (unchecked.size() < MOST_FILES) {
            unchecked.putIfAbsent(path, block);
        }
    }
}
