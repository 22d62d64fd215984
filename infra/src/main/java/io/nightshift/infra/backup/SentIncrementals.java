package io.nightshift.infra.backup;

import io.nightshift.infra.incremental.IncrementalFile;
import io.nightshift.infra.incremental.IncrementalHeader;
import io.nightshift.infra.incremental.RelationSegment;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the files of changed blocks that a server sends, as they pass, and keeps their headers. DATA_DAMAGED where one is
 * not what it should be. For one thread.
 */
public final class SentIncrementals {

    private static final String LABEL = "backup_label";

    private final Map<String, IncrementalHeader> headers = new HashMap<>();
    private final ByteArrayOutputStream label = new ByteArrayOutputStream();
    private @Nullable TarScanner scanner;

    /** The next archive begins. */
    public void archive(String name) {
        scanner = new TarScanner("archive " + name, new Files(ArchivePlace.of(name)));
    }

    public void data(byte[] bytes, int offset, int length) {
        if (scanner != null) {
            scanner.accept(bytes, offset, length);
        }
    }

    /** Of all files so far, by path from the data directory on. */
    public Map<String, IncrementalHeader> headers() {
        return Map.copyOf(headers);
    }

    /** The file that says where recovery begins, and what the backup is built on. */
    public String label() {
        return label.toString(StandardCharsets.UTF_8);
    }

    private final class Files implements TarScanner.Listener {

        private final ArchivePlace place;
        private @Nullable IncrementalFile file;
        private boolean isLabel;

        Files(ArchivePlace place) {
            this.place = place;
        }

        @Override
        public void header(TarHeader header, long offset, byte[] block) {
            String path = place.manifestPath(header.path());
            isLabel = path.equals(LABEL);
            file = header.type() == MemberType.FILE && RelationSegment.isIncremental(path)
                    ? new IncrementalFile(path, new Header(path))
                    : null;
        }

        @Override
        public void content(byte[] bytes, int offset, int length) {
            if (file != null) {
                file.accept(bytes, offset, length);
            } else if (isLabel) {
                label.write(bytes, offset, length);
            }
        }

        @Override
        public void filler(byte[] bytes, int offset, int length) {
            // between the members
        }

        @Override
        public void memberEnd() {
            if (file != null) {
                file.finish();
                file = null;
            }
        }
    }

    private final class Header implements IncrementalFile.Receiver {

        private final String path;

        Header(String path) {
            this.path = path;
        }

        @Override
        public void header(IncrementalHeader header) {
            headers.put(path, header);
        }

        @Override
        public void block(int block, int at, byte[] bytes, int offset, int length) {
            // only what is said of it counts here
        }
    }
}
