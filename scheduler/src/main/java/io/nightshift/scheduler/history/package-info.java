/** What a run has left behind besides its row in the ledger: its log, and how it compares with the runs before it. */
@NullMarked
package io.nightshift.scheduler.history;

import org.jspecify.annotations.NullMarked;
