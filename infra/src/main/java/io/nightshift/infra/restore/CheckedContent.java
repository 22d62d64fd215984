package io.nightshift.infra.restore;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The content of one file on its way, compared with the manifest at its end; DATA_DAMAGED if it differs. */
final class CheckedContent {

    private static final int PIECE = 1 << 17;

    /** Where the content goes. */
    @FunctionalInterface
    interface Sink {
        void write(byte[] piece, int length);
    }

    private final Progress progress;
    private final Cancellation cancellation;

    CheckedContent(Progress progress, Cancellation cancellation) {
        this.progress = progress;
        this.cancellation = cancellation;
    }

    /** Returns the bytes passed on. */
    long pass(String path, Optional<ManifestFile> listed, InputStream content, Sink sink) throws IOException {
        ManifestChecksum algorithm = listed.map(ManifestFile::algorithm).orElse(ManifestChecksum.NONE);
        ManifestChecksum.Digest digest = algorithm.digest();
        var piece = new byte[PIECE];
        long size = 0;
        for (int count = content.read(piece); count >= 0; count = content.read(piece)) {
            cancellation.check();
            digest.update(piece, 0, count);
            sink.write(piece, count);
            size += count;
            progress.advance(count);
        }
        if (listed.isPresent()) {
            require(path, "size", Long.toString(listed.get().size()), Long.toString(size));
            require(path, algorithm.name(), listed.get().checksum(), digest.hex());
        }
        return size;
    }

    private static void require(String path, String what, String said, String found) {
        if (!found.equals(said)) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "file " + path + " has the " + what + " " + found + ", the manifest says " + said);
        }
    }
}
