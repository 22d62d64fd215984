/**
 * Where a step works on a cluster, and the connections that lead there.
 *
 * <p>Of Resilience4j only the breaker is used. Its Retry counts attempts and knows no deadline, while ours ends after ten
 * seconds and chooses the node anew from what is observed between two attempts; its TimeLimiter interrupts a thread, which
 * ends no statement at the server, where {@code statement_timeout} and a cut socket do; its bulkheads hold in one process,
 * as the size of a pool does, while places for heavy work are leases among all.
 */
@NullMarked
package io.nightshift.infra.routing;

import org.jspecify.annotations.NullMarked;
