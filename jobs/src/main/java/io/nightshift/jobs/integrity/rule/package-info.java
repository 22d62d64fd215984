/**
 * Rules that rows keep though the schema does not say so: the step {@code checkRules} of {@code integrity-validation}, the check
 * of rules against the live schema, and the proposal of a first file. Statements of others are asked by a role that can do
 * nothing else, one at a time, in a transaction that only reads and is always rolled back. A restart asks all rules again.
 */
@NullMarked
package io.nightshift.jobs.integrity.rule;

import org.jspecify.annotations.NullMarked;
