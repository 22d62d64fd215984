/**
 * What the storages alone can give back to a control database that was lost. Backups, pins, proofs and gaps lie in the
 * storages and nowhere else; what goes with a control database is the history. Of each backup, each proof and each gap a run
 * comes back that left it, so that reports, history, plan and watchdog know what there was; everything else is lost.
 */
@NullMarked
package io.nightshift.scheduler.catalog;

import org.jspecify.annotations.NullMarked;
