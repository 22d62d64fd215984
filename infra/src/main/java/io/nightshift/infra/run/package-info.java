/** What every job sees and says of itself: its type, its context while running, its report at the end. */
@NullMarked
package io.nightshift.infra.run;

import org.jspecify.annotations.NullMarked;
