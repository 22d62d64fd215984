package io.nightshift.infra.lease;

/**
 * Ownership of something, as its owner holds it.
 *
 * @param name what is owned, such as {@code run/42}
 * @param owner the Nightshift node that owns it
 * @param token the fencing token: it only grows, so that a late act of an earlier owner can be told from a present one
 */
public record Lease(String name, String owner, long token) {}
