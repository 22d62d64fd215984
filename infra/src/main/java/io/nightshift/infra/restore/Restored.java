package io.nightshift.infra.restore;

import java.util.List;

/**
 * What a restore has written.
 *
 * @param files of the backup that are there now
 * @param bytes that were written or were there; of a file that several backups of a chain have parts of, all of these
 * @param reused how many of them were there already
 * @param storages that were read
 * @param complaints what was wrong with copies that another one stood in for
 * @param notes what differs from the source, and what to know before using it
 * @param checklist what to look at before it takes the source's place; empty of an inert one
 * @param throughput of writing what was not there
 * @param port that an inert server will listen on; 0 of a replacement
 */
public record Restored(
        long files,
        long bytes,
        long reused,
        List<String> storages,
        List<String> complaints,
        List<String> notes,
        List<String> checklist,
        Throughput throughput,
        int port) {}
