/**
 * {@code integrity-validation}: looks for damage and for rows that break what the schema promises. The catalogs are judged, and
 * schemas compared with what is expected of them, on the primary; pages, indexes and rows on a restored copy, a standby or the
 * primary, in chunks that give way to whoever waits for them, by as many partitions of a step as are to work at the same time. Each
 * finished chunk is kept: a restart repeats none of them, and plans anew only when it works on another server.
 *
 * <p>{@code bisect-damage}: restores some of the backups, one at a time, to find the newest that is clean of one of its findings.
 */
@NullMarked
package io.nightshift.jobs.integrity;

import org.jspecify.annotations.NullMarked;
