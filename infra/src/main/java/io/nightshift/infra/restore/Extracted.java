package io.nightshift.infra.restore;

import java.util.List;

/**
 * What came out of a backup through a temporary copy.
 *
 * @param way how, for people: by which pg_dump, or by COPY and why
 * @param dumped by pg_dump, with definitions; else rows only
 * @param restored the copy that it came through, which is gone
 * @param replay of the copy's recovery
 * @param notes what is not in the files, or is there otherwise than one would think
 */
public record Extracted(
        String database,
        String way,
        boolean dumped,
        List<ExtractedFile> files,
        Restored restored,
        Throughput replay,
        List<String> notes) {}
