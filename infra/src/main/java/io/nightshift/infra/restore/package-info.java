/**
 * Turns stored backups into data directories, archives for stock tools, and single files. Whatever breaks on the way, no
 * directory is left that could be taken for a whole one.
 */
@NullMarked
package io.nightshift.infra.restore;

import org.jspecify.annotations.NullMarked;
