/** Runs, attempts, cursors and outcomes: the truth about what ran, what did not, and why. */
@NullMarked
package io.nightshift.scheduler.ledger;

import org.jspecify.annotations.NullMarked;
