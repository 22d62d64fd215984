/** What it takes to look for damage in the data of a server, and what its answers mean. */
@NullMarked
package io.nightshift.infra.damage;

import org.jspecify.annotations.NullMarked;
