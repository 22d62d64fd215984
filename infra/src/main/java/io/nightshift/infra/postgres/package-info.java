/** PostgreSQL's own value types, and its SQLSTATEs. */
@NullMarked
package io.nightshift.infra.postgres;

import org.jspecify.annotations.NullMarked;
