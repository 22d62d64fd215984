package io.nightshift.scheduler.schedule;

import java.time.Duration;

/**
 * How long the newest completed runs of a job took.
 *
 * @param runs how many they are
 * @param median half of them took longer
 * @param p95 one in twenty took longer
 */
public record UsualDuration(int runs, Duration median, Duration p95) {}
