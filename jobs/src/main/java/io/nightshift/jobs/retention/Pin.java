package io.nightshift.jobs.retention;

import java.time.Instant;

/** Somebody wants a backup kept, whatever else is decided. */
record Pin(String reason, Instant until) {}
