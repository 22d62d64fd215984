/** Failures by who must act on them. */
@NullMarked
package io.nightshift.infra.resilience;

import org.jspecify.annotations.NullMarked;
