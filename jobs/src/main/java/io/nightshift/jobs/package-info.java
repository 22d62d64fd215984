/** What all job types share with Spring Batch; each family of them has a package of its own. */
@NullMarked
package io.nightshift.jobs;

import org.jspecify.annotations.NullMarked;
