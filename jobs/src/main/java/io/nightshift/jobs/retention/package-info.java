/**
 * Decides how long backups and WAL are kept, says why, and deletes what nothing keeps any more. The decision is pure and its
 * rules only ever keep: what no rule keeps expires.
 */
@NullMarked
package io.nightshift.jobs.retention;

import org.jspecify.annotations.NullMarked;
