/** The command line: one class per command, text for people and JSON for programs from the same records. */
@NullMarked
package io.nightshift.scheduler.cli;

import org.jspecify.annotations.NullMarked;
