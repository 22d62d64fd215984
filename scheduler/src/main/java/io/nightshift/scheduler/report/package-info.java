/**
 * The morning report: a pure model of one night, week or month, made from the ledger, the configured schedules and the
 * storages; and its page.
 */
@NullMarked
package io.nightshift.scheduler.report;

import org.jspecify.annotations.NullMarked;
