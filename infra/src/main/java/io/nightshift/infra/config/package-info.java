/**
 * The typed, validated picture of program settings, clusters, storages and jobs. Everything wrong is found in one pass
 * and told in one list, with file and line; nothing is quietly corrected.
 */
@NullMarked
package io.nightshift.infra.config;

import org.jspecify.annotations.NullMarked;
