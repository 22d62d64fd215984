/** Who owns something now: one table, one class, a fencing token that only grows. */
@NullMarked
package io.nightshift.infra.lease;

import org.jspecify.annotations.NullMarked;
