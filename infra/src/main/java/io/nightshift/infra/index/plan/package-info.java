/**
 * Which indexes a database's queries lack: their generic plans, what the plans' scans look for, what an index would make of them, and
 * the few that help the whole workload most. Statements are planned, never executed; everything after that is pure and gives
 * the same advice for the same input.
 */
@NullMarked
package io.nightshift.infra.index.plan;

import org.jspecify.annotations.NullMarked;
