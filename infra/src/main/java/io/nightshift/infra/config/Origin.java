package io.nightshift.infra.config;

/**
 * Where a value was written.
 *
 * @param file relative to the configuration directory, with slashes; or {@code environment}, {@code --set}, …
 * @param line from 1; 0 where there are no lines
 */
record Origin(String file, int line) {

    static final Origin ENVIRONMENT = new Origin("environment", 0);
    static final Origin OVERRIDE = new Origin("--set", 0);
    static final Origin STORED = new Origin("stored settings", 0);
}
