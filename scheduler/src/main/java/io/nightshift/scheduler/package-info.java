/** The composition root: where everything is wired. */
@NullMarked
package io.nightshift.scheduler;

import org.jspecify.annotations.NullMarked;
