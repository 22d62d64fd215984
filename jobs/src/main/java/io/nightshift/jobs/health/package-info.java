/**
 * {@code health-check}: one look at a cluster with every health check, and at its storages for the last restore test. What is
 * wrong becomes findings, so that history says what is new and what is resolved. It reads only; a restart looks again.
 */
@NullMarked
package io.nightshift.jobs.health;

import org.jspecify.annotations.NullMarked;
