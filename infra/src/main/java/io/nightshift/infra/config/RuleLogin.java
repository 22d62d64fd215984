package io.nightshift.infra.config;

import org.jspecify.annotations.Nullable;

/**
 * As whom rules are asked and queries are planned, where that is not the cluster's own role.
 *
 * @param password null when it is left to {@link Passwords}
 */
public record RuleLogin(String username, @Nullable Secret password) {}
