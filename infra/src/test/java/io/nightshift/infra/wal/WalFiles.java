package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** Segments in memory, as they lie in a server's {@code pg_wal}: to be cut, damaged and lost. */
final class WalFiles implements WalSegments {

    private final TreeMap<WalSegment, byte[]> segments = new TreeMap<>();

    /** Those of one timeline from there on, and whatever lies behind the end of the WAL. */
    static WalFiles read(Path folder, Timeline timeline, Lsn from, long size) throws IOException {
        var files = new WalFiles();
        for (WalSegment segment = WalSegment.at(timeline, from, size);
                Files.exists(folder.resolve(segment.name()));
                segment = segment.next()) {
            files.segments.put(segment, Files.readAllBytes(folder.resolve(segment.name())));
        }
        return files;
    }

    /** From the folder at each opening. */
    static WalSegments in(Path folder) {
        return segment -> {
            Path file = folder.resolve(segment.name());
            return Files.exists(file) ? Optional.of(Files.newInputStream(file)) : Optional.empty();
        };
    }

    /** Without anything behind this location. */
    WalFiles upTo(Lsn end) {
        var files = new WalFiles();
        segments.forEach((segment, bytes) -> {
            if (segment.start().isBefore(end)) {
                int length = (int) Math.min(bytes.length, end.minus(segment.start()));
                files.segments.put(segment, Arrays.copyOf(bytes, length));
            }
        });
        return files;
    }

    WalFiles without(WalSegment segment) {
        var files = new WalFiles();
        files.segments.putAll(segments);
        files.segments.remove(segment);
        return files;
    }

    WalFiles with(WalSegment segment, byte[] bytes) {
        WalFiles files = without(segment);
        files.segments.put(segment, bytes);
        return files;
    }

    byte[] bytes(WalSegment segment) {
        return segments.get(segment).clone();
    }

    List<WalSegment> names() {
        return new ArrayList<>(segments.keySet());
    }

    @Override
    public Optional<InputStream> open(WalSegment segment) {
        return Optional.ofNullable(segments.get(segment)).map(ByteArrayInputStream::new);
    }
}
