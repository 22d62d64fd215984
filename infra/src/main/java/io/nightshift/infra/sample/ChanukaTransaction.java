package io.nightshift.infra.sample;

import static java.util.stream.Collectors.toUnmodifiableSet;

import java.util.Set;
import java.util.stream.Stream;

/**
 * What the users of Chanuka do, how often in a thousand transactions, and with which statement. No statement takes a
 * lock that a backup, VACUUM or CREATE INDEX CONCURRENTLY would wait for, and none fails when it finds nothing: the
 * workload can go on for ever.
 */
public enum ChanukaTransaction {
    BILLS_BY_TOPIC_AND_STATUS(Access.READ, 170, """
            SELECT id, number, title, last_action_at
              FROM chanuka.bills
             WHERE topic = :topic AND status = :status::chanuka.bill_status
             ORDER BY introduced_on DESC, id DESC
             LIMIT 20"""),

    BILLS_BY_TOPIC_AND_DATE(Access.READ, 60, """
            SELECT status, count(*)
              FROM chanuka.bills
             WHERE topic = :topic AND introduced_on BETWEEN :introduced_on::date AND :introduced_on::date + 30
             GROUP BY status"""),

    BILLS_BY_SPONSOR(Access.READ, 80, """
            SELECT id, number, title, status
              FROM chanuka.bills
             WHERE sponsor_id = :legislator
             ORDER BY introduced_on DESC
             LIMIT 20"""),

    BILLS_ON_THE_FLOOR(Access.READ, 20, """
            SELECT id, number, title
              FROM chanuka.bills
             WHERE status = 'floor'
             ORDER BY last_action_at DESC
             LIMIT 20"""),

    BILLS_BY_TAG(Access.READ, 10, """
            SELECT bill.id, bill.number, bill.title
              FROM chanuka.bill_tags
              JOIN chanuka.tags AS tag ON tag.id = tag_id
              JOIN chanuka.bills AS bill ON bill.id = bill_id
             WHERE tag.id = :tag
             ORDER BY bill.introduced_on DESC
             LIMIT 20"""),

    BILL_PAGE(Access.READ, 145, """
            SELECT * FROM chanuka.bill_overview WHERE id = :hot_bill"""),

    ACTIVITY_ON_BILL(Access.READ, 5, """
            SELECT kind, count(*)
              FROM chanuka.engagement_events
             WHERE bill_id = :hot_bill AND occurred_at >= :engaged_on::date AND occurred_at < :engaged_on::date + 60
             GROUP BY kind"""),

    COMMENTS_OF_BILL(Access.READ, 80, """
            SELECT comment.id, comment.parent_id, author.display_name, comment.body, comment.upvotes
              FROM chanuka.comments AS comment
              JOIN chanuka.users AS author ON author.id = comment.user_id
             WHERE comment.bill_id = :hot_bill AND NOT comment.is_hidden
             ORDER BY comment.created_at DESC
             LIMIT 50"""),

    COMMENTS_OF_USER(Access.READ, 15, """
            SELECT id, bill_id, body
              FROM chanuka.comments
             WHERE user_id = :busy_user
             ORDER BY created_at DESC
             LIMIT 20"""),

    FEED_OF_FOLLOWED_BILLS(Access.READ, 100, """
            SELECT bill.id, bill.title, change.to_status, change.changed_at
              FROM chanuka.bill_follows AS follow
              JOIN chanuka.bills AS bill ON bill.id = follow.bill_id
              JOIN chanuka.bill_status_history AS change ON change.bill_id = bill.id
             WHERE follow.user_id = :busy_user
             ORDER BY change.changed_at DESC
             LIMIT 30"""),

    UNREAD_NOTIFICATIONS(Access.READ, 60, """
            SELECT id, bill_id, kind, created_at
              FROM chanuka.notifications
             WHERE user_id = :busy_user AND read_at IS NULL
             ORDER BY created_at DESC
             LIMIT 10"""),

    SEARCH_BILLS(Access.READ, 40, """
            SELECT id, number, title, ts_rank(search_vector, query) AS rank
              FROM chanuka.bills, websearch_to_tsquery('english', :words) AS query
             WHERE search_vector @@ query
             ORDER BY rank DESC, id
             LIMIT 20"""),

    ROLL_CALL(Access.READ, 12, """
            SELECT legislator.party, vote.choice, count(*)
              FROM chanuka.votes AS vote
              JOIN chanuka.legislators AS legislator ON legislator.id = vote.legislator_id
             WHERE vote.bill_id = :any_bill
             GROUP BY legislator.party, vote.choice"""),

    VOTING_RECORD(Access.READ, 3, """
            SELECT choice, count(*)
              FROM chanuka.votes
             WHERE legislator_id = :legislator
             GROUP BY choice"""),

    TRENDING_BILLS(Access.READ, 2, """
            SELECT bill_id, count(*) AS events, count(DISTINCT user_id) AS users
              FROM chanuka.engagement_events
             WHERE occurred_at >= :engaged_on::date AND occurred_at < :engaged_on::date + 7
             GROUP BY bill_id
             ORDER BY events DESC
             LIMIT 10"""),

    TOPIC_ENGAGEMENT(Access.READ, 8, """
            SELECT month, kind, events, users
              FROM chanuka.topic_engagement
             WHERE topic = :topic
             ORDER BY month, kind"""),

    RECORD_EVENT(Access.WRITE, 100, """
            INSERT INTO chanuka.engagement_events (bill_id, user_id, kind, payload)
            VALUES (:hot_bill, :busy_user, 'view', jsonb_build_object('seconds', :seconds::integer, 'device', 'phone'))"""),

    POST_COMMENT(Access.WRITE, 25, """
            INSERT INTO chanuka.comments (bill_id, user_id, parent_id, body)
            SELECT bill.id, :busy_user, (SELECT id FROM chanuka.comments WHERE bill_id = bill.id ORDER BY created_at DESC LIMIT 1), 'What about ' || :words || '?'
              FROM chanuka.bills AS bill
             WHERE bill.id = :hot_bill"""),

    UPVOTE_COMMENT(Access.WRITE, 10, """
            UPDATE chanuka.comments
               SET upvotes = upvotes + 1
             WHERE id = (SELECT id FROM chanuka.comments WHERE bill_id = :hot_bill ORDER BY created_at DESC LIMIT 1)"""),

    FOLLOW_BILL(Access.WRITE, 10, """
            INSERT INTO chanuka.bill_follows (user_id, bill_id)
            VALUES (:busy_user, :hot_bill)
            ON CONFLICT (user_id, bill_id) DO UPDATE SET followed_at = excluded.followed_at"""),

    READ_NOTIFICATIONS(Access.WRITE, 15, """
            UPDATE chanuka.notifications
               SET read_at = greatest(now(), created_at)
             WHERE id IN (SELECT id
                            FROM chanuka.notifications
                           WHERE user_id = :busy_user AND read_at IS NULL
                           ORDER BY created_at DESC
                           LIMIT 10
                             FOR UPDATE SKIP LOCKED)"""),

    VISIT(Access.WRITE, 10, """
            UPDATE chanuka.users
               SET last_seen_at = greatest(now(), created_at)
             WHERE id = :busy_user"""),

    UPDATE_PROFILE(Access.WRITE, 5, """
            UPDATE chanuka.users
               SET profile = profile || jsonb_build_object('digest', :digest::text, 'interests', jsonb_build_array(:topic::text))
             WHERE id = :busy_user"""),

    CAST_VOTE(Access.WRITE, 8, """
            INSERT INTO chanuka.votes (bill_id, legislator_id, choice)
            VALUES (:any_bill, :legislator, :ballot::chanuka.vote_choice)
            ON CONFLICT (bill_id, legislator_id) DO UPDATE SET choice = excluded.choice, cast_at = excluded.cast_at"""),

    CHANGE_BILL_STATUS(Access.WRITE, 3, """
            WITH changed AS (
                UPDATE chanuka.bills
                   SET last_action_at = greatest(now(), last_action_at),
                       status = CASE status WHEN 'introduced' THEN 'committee'
                                            WHEN 'committee' THEN 'floor'
                                            WHEN 'floor' THEN 'passed'
                                            WHEN 'passed' THEN 'enacted'
                                            ELSE 'introduced' END::chanuka.bill_status
                 WHERE id = :hot_bill
                RETURNING id)
            INSERT INTO chanuka.notifications (user_id, bill_id, kind)
            SELECT follow.user_id, changed.id, 'status_change'
              FROM changed
              JOIN chanuka.bill_follows AS follow ON follow.bill_id = changed.id
             LIMIT 20"""),

    DELETE_OLD_NOTIFICATIONS(Access.WRITE, 4, """
            DELETE FROM chanuka.notifications
             WHERE id IN (SELECT id
                            FROM chanuka.notifications
                           WHERE read_at IS NOT NULL
                           ORDER BY id
                           LIMIT 10
                             FOR UPDATE SKIP LOCKED)""");

    private enum Access {
        READ,
        WRITE
    }

    private final Access access;
    private final int perThousand;
    private final String sql;

    ChanukaTransaction(Access access, int perThousand, String sql) {
        this.access = access;
        this.perThousand = perThousand;
        this.sql = sql;
    }

    /** What needs no more than SELECT. */
    public static Set<ChanukaTransaction> reads() {
        return Stream.of(values()).filter(kind -> !kind.writes()).collect(toUnmodifiableSet());
    }

    public boolean writes() {
        return access == Access.WRITE;
    }

    /** How many of a thousand transactions of the whole workload are of this kind. */
    public int perThousand() {
        return perThousand;
    }

    /** With parameters written as psql has them, {@code :name}; {@link Choice} says what they are. */
    String sql() {
        return sql;
    }
}
