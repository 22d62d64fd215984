/** Where a step works on a cluster, and the connections that lead there. */
@NullMarked
package io.nightshift.infra.routing;

import org.jspecify.annotations.NullMarked;
