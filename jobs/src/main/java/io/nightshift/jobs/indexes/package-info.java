/**
 * {@code index-analysis}: which indexes are unused, redundant, broken, bloated or missing, with the statements to mend it and to
 * take that back. It keeps what every node has counted, reads the catalogs of the primary, and changes nothing there; a restart
 * looks again. From the second night on the most expensive queries are planned: which indexes they lack, and what has become of
 * them.
 */
@NullMarked
package io.nightshift.jobs.indexes;

import org.jspecify.annotations.NullMarked;
