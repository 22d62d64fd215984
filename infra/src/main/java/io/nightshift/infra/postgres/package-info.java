/** PostgreSQL's own value types, its SQLSTATEs, and the facts of a server. */
@NullMarked
package io.nightshift.infra.postgres;

import org.jspecify.annotations.NullMarked;
