/** The one entry point to the managed clusters. */
@NullMarked
package io.nightshift.infra.orchestrator;

import org.jspecify.annotations.NullMarked;
