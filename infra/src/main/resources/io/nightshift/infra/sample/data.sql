-- The Chanuka sample: data, made by the server itself.

-- step: load users and legislators

INSERT INTO legislators (id, full_name, chamber, party, county, elected_on)
SELECT id,
       pick(given_names, uniform(id, 101)) || ' ' || pick(family_names, uniform(id, 102)),
       CASE WHEN id <= 280 THEN 'national_assembly' ELSE 'senate' END,
       pick(parties, uniform(id, 103) * uniform(id, 104)),
       pick(counties, uniform(id, 105)),
       CASE WHEN uniform(id, 106) < 0.8 THEN date '2022-08-09' ELSE date '2024-03-12' END
  FROM generate_series(1, 350) AS id, words;

INSERT INTO users (id, username, email, display_name, county, role, profile, created_at, last_seen_at)
SELECT id,
       lower(given) || '.' || id,
       lower(given) || '.' || lower(family) || id || '@' || pick(ARRAY['example.org', 'example.org', 'example.com', 'example.net'], uniform(id, 203)),
       given || ' ' || family,
       pick(counties, uniform(id, 204) * uniform(id, 205)),
       CASE WHEN role < 0.965 THEN 'citizen' WHEN role < 0.985 THEN 'journalist' WHEN role < 0.997 THEN 'staff' ELSE 'moderator' END,
       jsonb_build_object('language', CASE WHEN uniform(id, 207) < 0.7 THEN 'sw' ELSE 'en' END,
                          'digest', CASE WHEN uniform(id, 208) < 0.3 THEN 'daily' ELSE 'never' END),
       created_at,
       CASE WHEN uniform(id, 209) < 0.85
            THEN created_at + floor(uniform(id, 210) * extract(epoch FROM timestamptz '2026-11-01 UTC' - created_at)::integer)::integer * interval '1 second' END
  FROM (SELECT id,
               pick(given_names, uniform(id, 201)) AS given,
               pick(family_names, uniform(id, 202)) AS family,
               uniform(id, 206) AS role,
               timestamptz '2024-06-01 UTC' + (id * 72000000 / :users)::integer * interval '1 second' AS created_at,
               counties
          FROM generate_series(1, :users::bigint) AS id, words) AS person;

-- step: load bills and tags

INSERT INTO tags (id, slug, name)
SELECT n, word, initcap(word)
  FROM words, jsonb_each(by_topic) AS topic (name, list), jsonb_array_elements_text(list) WITH ORDINALITY AS entry (word, place),
       LATERAL (SELECT (array_position(topics, topic.name) - 1) * 8 + place AS n) AS numbered
 ORDER BY n;

INSERT INTO bills (id, number, title, summary, topic, chamber, status, sponsor_id, introduced_on, last_action_at)
SELECT id,
       CASE WHEN chamber = 'senate' THEN 'SB-' ELSE 'NA-' END || extract(year FROM introduced_at) || '-' || lpad(id::text, 6, '0'),
       'The ' || initcap(topic) || ' (' || initcap(pick(own_words, uniform(id, 301))) || ' and '
              || initcap(pick(general, uniform(id, 302))) || ') Bill',
       summary,
       topic,
       chamber,
       status::bill_status,
       CASE WHEN chamber = 'senate' THEN 281 + floor(uniform(id, 303) * 70)::integer
            ELSE 1 + floor(uniform(id, 303) * uniform(id, 304) * 280)::integer END,
       introduced_at::date,
       introduced_at + CASE WHEN status = 'introduced' THEN 0
                            ELSE 3600 + floor(uniform(id, 305) * age_in_days * 86400)::integer END * interval '1 second'
  FROM (SELECT id, topic, general, introduced_at, age_in_days,
               CASE WHEN uniform(id, 306) < 0.72 THEN 'national_assembly' ELSE 'senate' END AS chamber,
               ARRAY(SELECT jsonb_array_elements_text(by_topic -> topic)) AS own_words,
               -- the older a bill, the likelier its end; finance bills pass more often than others
               CASE WHEN fate < 0.05 THEN 'withdrawn'
                    WHEN fate < 0.05 + age * 0.20 THEN 'rejected'
                    WHEN fate < 0.05 + age * CASE WHEN topic = 'finance' THEN 0.55 ELSE 0.35 END THEN 'enacted'
                    WHEN fate < 0.10 + age * CASE WHEN topic = 'finance' THEN 0.60 ELSE 0.42 END THEN 'passed'
                    WHEN fate < 0.16 + age * 0.62 THEN 'floor'
                    WHEN fate < 0.60 + age * 0.38 THEN 'committee'
                    ELSE 'introduced' END AS status,
               (SELECT string_agg(
                           CASE WHEN uniform(id * 128 + n, 307) < 0.3
                                THEN by_topic -> topic ->> floor(uniform(id * 128 + n, 308) * 8)::integer
                                ELSE pick(general, uniform(id * 128 + n, 308) * uniform(id * 128 + n, 309)) END, ' ' ORDER BY n)
                  FROM generate_series(1, 20 + floor(uniform(id, 310) * 35)::integer) AS n) AS summary
          FROM (SELECT id, introduced_at(id) AS introduced_at,
                       date '2026-11-01' - introduced_at(id)::date AS age_in_days,
                       (:bills - id)::double precision / :bills AS age,
                       uniform(id, 311) AS fate,
                       pick(topics, uniform(id, 312) * uniform(id, 313)) AS topic,
                       by_topic, general
                  FROM generate_series(1, :bills::bigint) AS id, words) AS born) AS bill;

INSERT INTO bill_sponsors (bill_id, legislator_id, joined_on)
SELECT id, sponsor_id, introduced_on FROM bills
 UNION
SELECT id, legislator, min(introduced_on + floor(uniform(id * 16 + n, 321) * 20)::integer)
  FROM bills, generate_series(1, floor(uniform(id, 322) * uniform(id, 323) * 12)::integer) AS n,
       LATERAL (SELECT CASE WHEN chamber = 'senate' THEN 281 + floor(uniform(id * 16 + n, 324) * 70)::integer
                            ELSE 1 + floor(uniform(id * 16 + n, 324) * 280)::integer END AS legislator) AS cosponsor
 WHERE legislator <> sponsor_id
 GROUP BY id, legislator;

INSERT INTO bill_tags (bill_id, tag_id)
SELECT DISTINCT id,
       CASE WHEN n = 1 THEN (array_position(topics, topic) - 1) * 8 + 1 + floor(uniform(id, 331) * 8)::integer
            ELSE 1 + floor(uniform(id * 4 + n, 332) * 96)::integer END
  FROM bills, words, generate_series(1, 1 + floor(uniform(id, 333) * 3)::integer) AS n;

INSERT INTO bill_status_history (id, bill_id, from_status, to_status, changed_at)
SELECT row_number() OVER (ORDER BY bill.id, place), bill.id,
       path[place - 1]::bill_status, path[place]::bill_status,
       CASE WHEN place = 1 THEN introduced_at
            ELSE introduced_at + (extract(epoch FROM last_action_at - introduced_at)::bigint * (place - 1) / (cardinality(path) - 1))::integer * interval '1 second' END
  FROM (SELECT id, last_action_at, introduced_at(id) AS introduced_at,
               CASE status WHEN 'introduced' THEN ARRAY['introduced']
                           WHEN 'committee' THEN ARRAY['introduced', 'committee']
                           WHEN 'floor' THEN ARRAY['introduced', 'committee', 'floor']
                           WHEN 'passed' THEN ARRAY['introduced', 'committee', 'floor', 'passed']
                           WHEN 'enacted' THEN ARRAY['introduced', 'committee', 'floor', 'passed', 'enacted']
                           WHEN 'rejected' THEN ARRAY['introduced', 'committee', 'floor', 'rejected']
                           ELSE ARRAY['introduced', 'withdrawn'] END AS path
          FROM bills) AS bill, generate_subscripts(path, 1) AS place;

-- step: load votes

-- A roll call for one decided bill in seven. A legislator follows the sponsor's party, and the result follows the votes.
INSERT INTO votes (id, bill_id, legislator_id, choice, cast_at)
SELECT row_number() OVER (ORDER BY bill_id, legislator_id), bill_id, legislator_id,
       CASE WHEN uniform(ballot, 402) < 0.04 THEN 'abstain'
            WHEN uniform(ballot, 403) < CASE WHEN own_party THEN 0.93 WHEN rejected THEN 0.30 ELSE 0.60 END THEN 'aye'
            ELSE 'nay' END::vote_choice,
       cast_at + floor(uniform(ballot, 404) * 900)::integer * interval '1 second'
  FROM (SELECT bill.id AS bill_id, legislator.id AS legislator_id, bill.id * 512 + legislator.id AS ballot,
               legislator.party = sponsor.party AS own_party, bill.status = 'rejected' AS rejected,
               bill.last_action_at AS cast_at
          FROM bills AS bill
          JOIN legislators AS sponsor ON sponsor.id = bill.sponsor_id
          JOIN legislators AS legislator ON legislator.chamber = bill.chamber
         WHERE bill.status IN ('passed', 'enacted', 'rejected') AND uniform(bill.id, 401) < 0.15) AS roll_call
 WHERE uniform(ballot, 405) < 0.88;

-- step: load comments

-- Remarks are written in the order of their ids; a reply answers one of the last few on the same bill.
INSERT INTO comments (id, bill_id, user_id, parent_id, body, upvotes, is_hidden, created_at)
SELECT id, bill_id, busy_user(uniform(id, 502)),
       CASE WHEN uniform(id, 503) < 0.4
            THEN lag(id, 1 + floor(uniform(id, 504) * 4)::integer) OVER (PARTITION BY bill_id ORDER BY id) END,
       pick(remarks, uniform(id, 505)) || ' ' || pick(remarks, uniform(id, 506) * uniform(id, 507))
           || CASE WHEN uniform(id, 508) < 0.5 THEN ' ' || pick(remarks, uniform(id, 509)) || ' ' || pick(remarks, uniform(id, 510)) ELSE '' END,
       floor(uniform(id, 511) * uniform(id, 512) * uniform(id, 513) * 60)::integer,
       uniform(id, 514) < 0.01,
       greatest(timestamptz '2025-11-01 UTC' + (id * 31449600 / :comments)::integer * interval '1 second',
                introduced_at(bill_id) + floor(uniform(id, 515) * 36000)::integer * interval '1 second')
  FROM (SELECT id, hot_bill(uniform(id, 501)) AS bill_id FROM generate_series(1, :comments::bigint) AS id) AS remark, words;

-- step: load follows and notifications

INSERT INTO bill_follows (user_id, bill_id, followed_at)
SELECT user_id, bill_id, introduced_at(bill_id) + floor(uniform(min(id), 603) * 864000)::integer * interval '1 second'
  FROM (SELECT id, busy_user(uniform(id, 601)) AS user_id, hot_bill(uniform(id, 602)) AS bill_id
          FROM generate_series(1, :follows::bigint) AS id) AS follow
 GROUP BY user_id, bill_id;

INSERT INTO notifications (id, user_id, bill_id, kind, created_at, read_at)
SELECT id, user_id, bill_id, kind, created_at,
       CASE WHEN uniform(id, 702) < 0.7 THEN created_at + floor(uniform(id, 703) * 259200)::integer * interval '1 second' END
  FROM (SELECT id, user_id, bill_id,
               pick(ARRAY['status_change', 'status_change', 'new_comment', 'roll_call'], uniform(id, 704)) AS kind,
               timestamptz '2026-05-01 UTC' + (id * 15811200 / :notifications)::integer * interval '1 second' AS created_at
          FROM (SELECT id, busy_user(uniform(id, 705)) AS user_id, hot_bill(uniform(id, 706)) AS bill_id
                  FROM generate_series(1, :notifications::bigint) AS id) AS receiver) AS notification;

-- step: load engagement events

INSERT INTO engagement_events (id, occurred_at, bill_id, user_id, kind, payload)
SELECT id,
       greatest(timestamptz '2025-11-01 UTC' + (id * 31449600 / :events)::integer * interval '1 second',
                introduced_at(bill_id) + floor(uniform(id, 802) * 172800)::integer * interval '1 second'),
       bill_id,
       CASE WHEN uniform(id, 803) < 0.6 THEN busy_user(uniform(id, 804)) END,
       kind,
       CASE kind WHEN 'view' THEN jsonb_build_object('seconds', floor(uniform(id, 805) * uniform(id, 806) * 600)::integer,
                                                     'device', pick(ARRAY['phone', 'phone', 'phone', 'desktop', 'tablet'], uniform(id, 807)))
                 WHEN 'share' THEN jsonb_build_object('to', pick(ARRAY['chat', 'mail', 'link'], uniform(id, 808)))
                 WHEN 'search' THEN jsonb_build_object('words', pick(general, uniform(id, 809)))
                 ELSE '{}'::jsonb END
  FROM (SELECT id, hot_bill(uniform(id, 801)) AS bill_id,
               pick(ARRAY['view', 'search', 'share', 'download'], uniform(id, 810) * uniform(id, 811)) AS kind
          FROM generate_series(1, :events::bigint) AS id) AS event, words;

-- step: set the sequences

SELECT setval(pg_get_serial_sequence('users', 'id'), max(id)) FROM users;
SELECT setval(pg_get_serial_sequence('legislators', 'id'), max(id)) FROM legislators;
SELECT setval(pg_get_serial_sequence('tags', 'id'), max(id)) FROM tags;
SELECT setval(pg_get_serial_sequence('bills', 'id'), max(id)) FROM bills;
SELECT setval('bill_number_seq', max(id)) FROM bills;
SELECT setval(pg_get_serial_sequence('bill_status_history', 'id'), max(id)) FROM bill_status_history;
SELECT setval(pg_get_serial_sequence('votes', 'id'), max(id)) FROM votes;
SELECT setval(pg_get_serial_sequence('comments', 'id'), max(id)) FROM comments;
SELECT setval(pg_get_serial_sequence('notifications', 'id'), max(id)) FROM notifications;
SELECT setval(pg_get_serial_sequence('engagement_events', 'id'), max(id)) FROM engagement_events;
