/**
 * Large work cut into chunks that are finished one by one, so that a restart repeats none and misses none, also after
 * {@code kill -9}. What a chunk is, and what came of it, is text of the job that works it.
 */
@NullMarked
package io.nightshift.infra.chunk;

import org.jspecify.annotations.NullMarked;
