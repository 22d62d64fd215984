package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.WalSegment;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** Where segments of WAL are read from. */
@FunctionalInterface
public interface WalSegments {

    /**
     * The bytes of a segment from its beginning: all of it, or as far as it was archived. Empty if there is none.
     *
     * @throws IOException if it is damaged, here or while it is read
     */
    Optional<InputStream> open(WalSegment segment) throws IOException;
}
