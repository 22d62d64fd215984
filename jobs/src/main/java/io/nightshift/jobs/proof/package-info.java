/**
 * {@code restore-test}: proves a backup by restoring it. It chooses what {@code nightshift restore} would take, restores it
 * into scratch space, recovers it, reads and checks what is there on a server of its own, and leaves a note beside the
 * backup. Then the copy is thrown away, or kept for a time; a restart begins with a new one, and a run that was killed is
 * cleared up by the next one.
 */
@NullMarked
package io.nightshift.jobs.proof;

import org.jspecify.annotations.NullMarked;
