-- Indexes that look needless and are not, beside those that are. What is safe to drop says so in its name: *_needless.
CREATE SCHEMA trap;
SET search_path = trap;
SET allow_in_place_tablespaces = on;

CREATE TABLE things (
    id integer PRIMARY KEY, c1 integer, c12 integer, a integer, b integer, c integer, d integer, note text, code text,
    span int4range, words tsvector, n integer, m integer, h integer, g integer);
INSERT INTO things SELECT i, i % 700, i % 70, i % 100, i % 300, i % 900, i % 50, 'note ' || i % 40, 'code ' || i,
       int4range(i * 10, i * 10 + 5), to_tsvector('simple', 'word' || i % 30), i, i % 9, i % 77, i % 11
  FROM generate_series(1, 2000) i;

-- a prefix by position, not by letters
CREATE INDEX things_c1 ON things (c1);
CREATE INDEX things_c12 ON things (c12);
-- a chain: only the longest is needed
CREATE INDEX things_a_needless ON things (a);
CREATE INDEX things_a_b_needless ON things (a, b);
CREATE INDEX things_a_b_c ON things (a, b, c);
-- other order, other end
CREATE INDEX things_b_a ON things (b, a);
CREATE INDEX things_d ON things (d);
CREATE INDEX things_d_nulls ON things (d DESC NULLS LAST);
CREATE INDEX things_d_backwards_needless ON things (d DESC);
-- carried columns
CREATE INDEX things_c_with_code ON things (c) INCLUDE (code);
CREATE INDEX things_c_with_d_needless ON things (c) INCLUDE (d);
CREATE INDEX things_c_d ON things (c, d);
-- operator class, collation, method
CREATE INDEX things_note_pattern ON things (note text_pattern_ops);
CREATE INDEX things_note_c ON things (note COLLATE "C");
CREATE INDEX things_note ON things (note);
CREATE INDEX things_h_hash ON things USING hash (h);
CREATE INDEX things_h ON things (h);
CREATE INDEX things_h_hash_needless ON things USING hash (h);
CREATE INDEX things_g_brin ON things USING brin (g) WITH (pages_per_range = 4);
CREATE INDEX things_g_brin_wide ON things USING brin (g) WITH (pages_per_range = 128);
CREATE INDEX things_words ON things USING gist (words tsvector_ops (siglen = 64));
CREATE INDEX things_words_long ON things USING gist (words tsvector_ops (siglen = 256));
-- expressions: all of them have attribute number 0
CREATE INDEX things_plus ON things ((a + 1));
CREATE INDEX things_times ON things ((b * 2));
CREATE INDEX things_lower_needless ON things (lower(note));
COMMENT ON INDEX things_lower_needless IS E'two\n; DROP TABLE trap.things; -- lines';
CREATE INDEX things_lower_code ON things (lower(note), code);
CREATE INDEX things_upper_closely ON things (upper(note));
ALTER INDEX things_upper_closely ALTER COLUMN 1 SET STATISTICS 900;
CREATE INDEX things_upper_code ON things (upper(note), code);
-- partial
CREATE INDEX things_m_some_needless ON things (m) WHERE n < 100;
CREATE INDEX things_m_others ON things (m) WHERE n > 1900;
CREATE INDEX things_m_n ON things (m, n);
CREATE INDEX things_m_n_some ON things (m, n) WHERE n < 100;
-- what keeps something is not there for queries alone
CREATE UNIQUE INDEX things_n_unique ON things (n);
CREATE INDEX things_n_code ON things (n, code);
ALTER TABLE things ADD CONSTRAINT things_span_excl EXCLUDE USING gist (span WITH &&);
CREATE INDEX things_span_needless ON things USING gist (span);
CREATE UNIQUE INDEX things_code_n_target ON things (code, n);
CREATE INDEX things_code_n_note ON things (code, n, note);
CREATE TABLE pointers (code text, n integer, FOREIGN KEY (code, n) REFERENCES things (code, n));
CREATE INDEX pointers_code_n ON pointers (n, code);

CREATE TABLE identified (id integer NOT NULL, v integer);
CREATE UNIQUE INDEX identified_id ON identified (id);
CREATE UNIQUE INDEX identified_id_again ON identified (id);
ALTER TABLE identified REPLICA IDENTITY USING INDEX identified_id_again;

-- Two constraints of the same columns: an index each, neither goes.
CREATE TABLE twice (id integer PRIMARY KEY);
ALTER TABLE twice ADD CONSTRAINT twice_id_key UNIQUE (id);

CREATE TABLE clustered (x integer, y integer);
CREATE INDEX clustered_x ON clustered (x);
CREATE INDEX clustered_x_y ON clustered (x, y);
CLUSTER clustered USING clustered_x;

CREATE TABLE distinctly (x integer, y integer);
CREATE UNIQUE INDEX distinctly_x ON distinctly (x) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX distinctly_x_again ON distinctly (x);

-- of copies one stays: the oldest, all else being equal
CREATE TABLE copies (x integer, y integer);
CREATE INDEX copies_first ON copies (x);
CREATE INDEX copies_b_needless ON copies (x);
CREATE INDEX copies_a_needless ON copies (x) WITH (fillfactor = 70);

CREATE TABLE owned (x integer, y integer);
CREATE INDEX owned_x ON owned (x);
CREATE INDEX owned_x_y ON owned (x, y);
ALTER EXTENSION plpgsql ADD TABLE owned;

CREATE TABLE applied (x integer, y integer);
CREATE INDEX applied_x ON applied (x);
CREATE INDEX applied_x_y ON applied (x, y);
INSERT INTO pg_subscription_rel VALUES (99999, 'applied'::regclass, 'r', NULL);

-- a broken one does nobody's work
CREATE TABLE halfway (x integer, y integer);
CREATE INDEX halfway_x ON halfway (x);
CREATE INDEX halfway_x_y ON halfway (x, y);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'halfway_x_y'::regclass;

-- names as nobody should give them
CREATE TABLESPACE "Fast Disk" LOCATION '';
CREATE SCHEMA "select";
CREATE TABLE "select"."Or""der.s" ("from" integer, "to" integer);
CREATE INDEX "Or USING (x) needless" ON "select"."Or""der.s" ("from") TABLESPACE "Fast Disk" WHERE "to" > 5;
CREATE INDEX "Or from to" ON "select"."Or""der.s" ("from", "to") WHERE "to" > 5;

-- the index of a partitioned table is one with its parts
CREATE TABLE events (id integer, at integer, kind integer, v integer) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (1000);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (1000) TO (2000) PARTITION BY LIST (kind);
CREATE TABLE events_2_a PARTITION OF events_2 FOR VALUES IN (0, 1, 2);
CREATE TABLE events_2_b PARTITION OF events_2 DEFAULT;
INSERT INTO events SELECT i, i, i % 5, i % 20 FROM generate_series(1, 1999) i;
CREATE INDEX events_at_needless ON events (at);
CREATE INDEX events_at_kind ON events (at, kind);
CREATE INDEX events_v ON events (v);
CREATE INDEX events_2_a_v_kind ON events_2_a (v, kind);
CREATE INDEX events_kind ON events (kind);
CREATE INDEX events_kind_at ON events (kind, at);
CLUSTER events_1 USING events_1_kind_idx;
VACUUM ANALYZE;
