/**
 * The Chanuka demo database, a civic-transparency platform with bills, legislators, users, votes, comments and
 * engagement, and the workload of its users. No real people; the same seed and scale give the same rows on every
 * supported version of PostgreSQL.
 *
 * <p>Its data is sound: every constraint holds, every index is valid. Its design has the flaws of a platform that grew,
 * for the index and integrity jobs to find:
 *
 * <ul>
 *   <li>no index fits the filters of {@code bills} by topic, status, sponsor and date, which are a third of the workload;
 *   <li>foreign keys without an index: {@code bills.sponsor_id}, {@code bill_tags.tag_id}, {@code votes.legislator_id},
 *       {@code comments.user_id}, {@code notifications.bill_id}, {@code engagement_events.user_id};
 *   <li>{@code votes_bill_id_idx} is redundant: the index of the unique constraint begins with the same column;
 *   <li>{@code users_county_idx} is used by no query;
 *   <li>new engagement events fall into the default partition, because nobody created the month;
 *   <li>{@code topic_engagement} is never refreshed.
 * </ul>
 *
 * Traps, which look alike and must stay: {@code users_lower_email_key}, {@code users_username_key},
 * {@code bills_number_key}, {@code tags_slug_key} and {@code topic_engagement_key} are never scanned but unique;
 * {@code bill_sponsors_legislator_id_idx} and {@code comments_parent_id_idx} are read only when what they refer to is
 * deleted; {@code bills_on_the_floor_idx} and {@code notifications_unread_idx} are partial.
 */
@NullMarked
package io.nightshift.infra.sample;

import org.jspecify.annotations.NullMarked;
