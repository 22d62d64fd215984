/**
 * The indexes of a database: what they are and what they promise, read from the catalogs of the primary, what every node has
 * used them for over weeks, and what follows: which ones nobody uses, which others make needless, which are broken or mostly
 * empty, and which foreign keys have none. Judgements
 * are pure, give the same advice for the same catalogs, and only advise: nothing here changes a database.
 */
@NullMarked
package io.nightshift.infra.index;

import org.jspecify.annotations.NullMarked;
