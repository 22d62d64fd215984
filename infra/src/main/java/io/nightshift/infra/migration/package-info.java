/** Migrations of a database over Flyway. */
@NullMarked
package io.nightshift.infra.migration;

import org.jspecify.annotations.NullMarked;
