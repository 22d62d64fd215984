-- The Chanuka sample: what the data must keep to, how it is found, what is derived from it.

-- step: index and constrain users, legislators and bills

ALTER TABLE users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id),
    ADD CONSTRAINT users_username_key UNIQUE (username),
    ADD CONSTRAINT users_role_check CHECK (role IN ('citizen', 'journalist', 'staff', 'moderator')),
    ADD CONSTRAINT users_seen_after_created_check CHECK (last_seen_at >= created_at);
CREATE UNIQUE INDEX users_lower_email_key ON users (lower(email));
CREATE INDEX users_county_idx ON users (county);  -- no query wants it

ALTER TABLE legislators
    ADD CONSTRAINT legislators_pkey PRIMARY KEY (id),
    ADD CONSTRAINT legislators_chamber_check CHECK (chamber IN ('national_assembly', 'senate'));

ALTER TABLE tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (id),
    ADD CONSTRAINT tags_slug_key UNIQUE (slug),
    ADD CONSTRAINT tags_slug_check CHECK (slug = lower(slug));

-- No index fits the filters by topic, status, sponsor and date, nor the foreign key of the sponsor: that is for the index
-- advice to find.
ALTER TABLE bills
    ADD CONSTRAINT bills_pkey PRIMARY KEY (id),
    ADD CONSTRAINT bills_number_key UNIQUE (number),
    ADD CONSTRAINT bills_chamber_check CHECK (chamber IN ('national_assembly', 'senate')),
    ADD CONSTRAINT bills_acted_after_introduced_check CHECK (last_action_at >= introduced_on::timestamp AT TIME ZONE 'UTC'),
    ADD CONSTRAINT bills_sponsor_id_fkey FOREIGN KEY (sponsor_id) REFERENCES legislators;
CREATE INDEX bills_search_vector_idx ON bills USING gin (search_vector);
CREATE INDEX bills_on_the_floor_idx ON bills (last_action_at DESC) WHERE status = 'floor';

ALTER TABLE bill_sponsors
    ADD CONSTRAINT bill_sponsors_pkey PRIMARY KEY (bill_id, legislator_id),
    ADD CONSTRAINT bill_sponsors_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE,
    ADD CONSTRAINT bill_sponsors_legislator_id_fkey FOREIGN KEY (legislator_id) REFERENCES legislators;
CREATE INDEX bill_sponsors_legislator_id_idx ON bill_sponsors (legislator_id);

-- bill_tags.tag_id has no index
ALTER TABLE bill_tags
    ADD CONSTRAINT bill_tags_pkey PRIMARY KEY (bill_id, tag_id),
    ADD CONSTRAINT bill_tags_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE,
    ADD CONSTRAINT bill_tags_tag_id_fkey FOREIGN KEY (tag_id) REFERENCES tags;

ALTER TABLE bill_status_history
    ADD CONSTRAINT bill_status_history_pkey PRIMARY KEY (id),
    ADD CONSTRAINT bill_status_history_changed_check CHECK (from_status IS DISTINCT FROM to_status),
    ADD CONSTRAINT bill_status_history_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE;
CREATE INDEX bill_status_history_bill_id_changed_at_idx ON bill_status_history (bill_id, changed_at);

-- step: index and constrain votes and comments

-- votes.legislator_id has no index of its own
ALTER TABLE votes
    ADD CONSTRAINT votes_pkey PRIMARY KEY (id),
    ADD CONSTRAINT votes_bill_id_legislator_id_key UNIQUE (bill_id, legislator_id),
    ADD CONSTRAINT votes_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE,
    ADD CONSTRAINT votes_legislator_id_fkey FOREIGN KEY (legislator_id) REFERENCES legislators;
CREATE INDEX votes_bill_id_idx ON votes (bill_id);  -- redundant: the unique constraint's index begins with bill_id

-- comments.user_id has no index
ALTER TABLE comments
    ADD CONSTRAINT comments_pkey PRIMARY KEY (id),
    ADD CONSTRAINT comments_body_check CHECK (length(body) BETWEEN 1 AND 4000),
    ADD CONSTRAINT comments_not_own_parent_check CHECK (parent_id < id),
    ADD CONSTRAINT comments_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE,
    ADD CONSTRAINT comments_user_id_fkey FOREIGN KEY (user_id) REFERENCES users,
    ADD CONSTRAINT comments_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES comments ON DELETE SET NULL;
CREATE INDEX comments_bill_id_created_at_idx ON comments (bill_id, created_at);
CREATE INDEX comments_parent_id_idx ON comments (parent_id) WHERE parent_id IS NOT NULL;

-- step: index and constrain follows, notifications and events

ALTER TABLE bill_follows
    ADD CONSTRAINT bill_follows_pkey PRIMARY KEY (user_id, bill_id),
    ADD CONSTRAINT bill_follows_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    ADD CONSTRAINT bill_follows_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE;
CREATE INDEX bill_follows_bill_id_idx ON bill_follows (bill_id);

-- notifications.bill_id has no index, and user_id only one of what is unread
ALTER TABLE notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id),
    ADD CONSTRAINT notifications_kind_check CHECK (kind IN ('status_change', 'new_comment', 'roll_call')),
    ADD CONSTRAINT notifications_read_after_created_check CHECK (read_at >= created_at),
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    ADD CONSTRAINT notifications_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE;
CREATE INDEX notifications_unread_idx ON notifications (user_id, created_at DESC) WHERE read_at IS NULL;

-- engagement_events.user_id has no index
ALTER TABLE engagement_events
    ADD CONSTRAINT engagement_events_pkey PRIMARY KEY (id, occurred_at),
    ADD CONSTRAINT engagement_events_kind_check CHECK (kind IN ('view', 'search', 'share', 'download')),
    ADD CONSTRAINT engagement_events_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    ADD CONSTRAINT engagement_events_bill_id_fkey FOREIGN KEY (bill_id) REFERENCES bills ON DELETE CASCADE,
    ADD CONSTRAINT engagement_events_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL;
CREATE INDEX engagement_events_bill_id_occurred_at_idx ON engagement_events (bill_id, occurred_at);

-- step: create trigger and views

CREATE FUNCTION record_status_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = chanuka, pg_temp
AS $$
BEGIN
    INSERT INTO bill_status_history (bill_id, from_status, to_status) VALUES (new.id, old.status, new.status);
    RETURN NULL;
END $$;

CREATE TRIGGER bills_record_status_change AFTER UPDATE OF status ON bills
    FOR EACH ROW WHEN (old.status IS DISTINCT FROM new.status) EXECUTE FUNCTION record_status_change();

CREATE VIEW bill_overview AS
SELECT bill.id, bill.number, bill.title, bill.topic, bill.chamber, bill.status, bill.introduced_on, bill.last_action_at,
       sponsor.full_name AS sponsor, sponsor.party AS sponsor_party,
       (SELECT count(*) FROM comments WHERE bill_id = bill.id AND NOT is_hidden) AS comments,
       (SELECT count(*) FROM bill_follows WHERE bill_id = bill.id) AS followers
  FROM bills AS bill
  JOIN legislators AS sponsor ON sponsor.id = bill.sponsor_id;

CREATE MATERIALIZED VIEW topic_engagement AS
SELECT date_trunc('month', event.occurred_at, 'UTC') AS month, bill.topic, event.kind,
       count(*) AS events, count(DISTINCT event.user_id) AS users
  FROM engagement_events AS event
  JOIN bills AS bill ON bill.id = event.bill_id
 GROUP BY 1, 2, 3
 ORDER BY 1, 2, 3;
-- never scanned, yet REFRESH MATERIALIZED VIEW CONCURRENTLY needs it
CREATE UNIQUE INDEX topic_engagement_key ON topic_engagement (month, topic, kind);

-- step: analyze

DROP TABLE words;
DROP FUNCTION busy_user;
DROP FUNCTION hot_bill;
DROP FUNCTION introduced_at;
DROP FUNCTION pick;
DROP FUNCTION uniform;

-- The sample is what its seed and scale make of it; this row says which.
CREATE TABLE sample_info (seed bigint PRIMARY KEY, scale double precision NOT NULL);
INSERT INTO sample_info VALUES (:seed, :scale);

DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = chanuka, public', current_database());
END $$;
ANALYZE users, legislators, tags, bills, bill_sponsors, bill_tags, bill_status_history, votes, comments, bill_follows,
        notifications, engagement_events, topic_engagement, sample_info, commit_log;
