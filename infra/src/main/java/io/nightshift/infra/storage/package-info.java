/**
 * Places where backups and WAL live. A storage keeps named objects that are written once, durably and exclusively, and
 * never changed, but by a repair; it knows nothing of backups.
 */
@NullMarked
package io.nightshift.infra.storage;

import org.jspecify.annotations.NullMarked;
