/** The names of our meters, in one place. */
@NullMarked
package io.nightshift.infra.metrics;

import org.jspecify.annotations.NullMarked;
