/**
 * What the statements of a cluster cost, night by night: snapshots of {@code pg_stat_statements} of every node, their differences,
 * and the statements that most of the time goes to. Judgements are pure.
 */
@NullMarked
package io.nightshift.infra.workload;

import org.jspecify.annotations.NullMarked;
