package io.nightshift.infra.run;

/**
 * A measured number.
 *
 * @param value whole or decimal
 * @param unit {@code bytes}, {@code bytes/s}, {@code s}, {@code files}, …; empty for a plain ratio
 */
public record Figure(String name, Number value, String unit) {}
