package io.nightshift.infra.restore;

import java.util.List;

/**
 * What an export has written.
 *
 * @param files how many
 * @param bytes in them
 * @param storages that were read
 * @param complaints what was wrong with copies that another one stood in for
 * @param notes what differs from the bytes of the backup, and what to know before using it
 */
public record Exported(long files, long bytes, List<String> storages, List<String> complaints, List<String> notes) {}
