package io.nightshift.infra.replication;

/**
 * A timeline history file as the server has it.
 *
 * @param fileName such as {@code 00000002.history}
 */
@SuppressWarnings("ArrayRecordComponent") // passed on to a file, never compared
public record TimelineHistory(String fileName, byte[] content) {}
