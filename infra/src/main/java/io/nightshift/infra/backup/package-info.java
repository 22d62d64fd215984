/**
 * Backups as a storage keeps them: labels and object names, the archive format with its index, backup.json, the list of
 * what exists, and reading everything back.
 */
@NullMarked
package io.nightshift.infra.backup;

import org.jspecify.annotations.NullMarked;
