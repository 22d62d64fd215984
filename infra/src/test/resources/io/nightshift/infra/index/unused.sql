-- Indexes that no query of a test uses, but for those that say on which node it does. Safe to drop: *_needless.
CREATE SCHEMA idle;
SET search_path = idle;

CREATE TABLE things (
    id integer PRIMARY KEY, a integer, b integer, c integer, d integer, e integer, f integer, g text, h integer, i integer,
    span int4range, parent integer, parent_too integer);
INSERT INTO things SELECT n, n, n, n, n, n, n, 'word ' || n % 20, n, n, int4range(n, n + 1), n, n
  FROM generate_series(1, 1000) n;
CREATE INDEX things_a_needless ON things (a);
CREATE INDEX things_b_on_primary ON things (b);
CREATE INDEX things_c_on_standby ON things (c);
CREATE INDEX things_d_at_month_end ON things (d);
CREATE UNIQUE INDEX things_e_unique ON things (e);
ALTER TABLE things ADD CONSTRAINT things_span_excl EXCLUDE USING gist (span WITH &&);
-- what ANALYZE knows of the expression must not go with it
CREATE INDEX things_g_needless ON things (upper(g), (f + 1)) WITH (fillfactor = 80);
ALTER INDEX things_g_needless ALTER COLUMN 1 SET STATISTICS 700;
COMMENT ON INDEX things_g_needless IS 'of old';
CREATE INDEX things_h_needless ON things USING hash (h);
CREATE INDEX things_i_needless ON things USING brin (i);
-- two for one foreign key: one may go
CREATE TABLE parents (id integer PRIMARY KEY);
INSERT INTO parents SELECT * FROM generate_series(1, 1000);
ALTER TABLE things ADD FOREIGN KEY (parent) REFERENCES parents, ADD FOREIGN KEY (parent_too) REFERENCES parents;
CREATE INDEX things_parent ON things (parent);
CREATE INDEX things_parent_too_needless ON things (parent_too, h);
CREATE INDEX things_parent_too_other ON things (parent_too, i);
-- some columns of a foreign key are found too, if no other index finds as many
CREATE TABLE orders (tenant integer, ord integer, PRIMARY KEY (tenant, ord));
CREATE TABLE lines (tenant integer, ord integer, s integer, FOREIGN KEY (tenant, ord) REFERENCES orders);
CREATE INDEX lines_ord_s ON lines (ord, s);
-- a row that refers to another has no null in any column
CREATE TABLE notes (tenant integer, "ord AND" integer, FOREIGN KEY (tenant, "ord AND") REFERENCES orders);
CREATE INDEX notes_ord ON notes ("ord AND", tenant) WHERE tenant IS NOT NULL AND "ord AND" IS NOT NULL;
CREATE INDEX notes_tenant_needless ON notes (tenant);
CREATE INDEX notes_some_needless ON notes (tenant, "ord AND") WHERE tenant IS NOT NULL AND "ord AND" > 5;
-- of a pair the one that covers has to do the work of the other one
CREATE TABLE pairs (a integer, b integer);
CREATE INDEX pairs_a_redundant ON pairs (a);
CREATE INDEX pairs_a_b_covers ON pairs (a, b);

CREATE MATERIALIZED VIEW counts AS SELECT b, count(*) FROM things GROUP BY b;
CREATE UNIQUE INDEX counts_b ON counts (b);
CREATE INDEX counts_count_needless ON counts (count);

CREATE TABLE subscribed (x integer);
CREATE INDEX subscribed_x ON subscribed (x);
INSERT INTO pg_subscription_rel VALUES (99999, 'subscribed'::regclass, 'r', NULL);
-- what is published by way of the root is applied to the partitions
CREATE TABLE applied (x integer) PARTITION BY RANGE (x);
CREATE TABLE applied_1 PARTITION OF applied FOR VALUES FROM (0) TO (500);
CREATE INDEX applied_1_x ON applied_1 (x);
INSERT INTO pg_subscription_rel VALUES (99999, 'applied'::regclass, 'r', NULL);

-- a tree is one: what one of its parts is used for counts for all
CREATE TABLE events (id integer, at integer, kind text, parent integer REFERENCES parents) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (500);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (500) TO (1001) PARTITION BY RANGE (at);
CREATE TABLE events_2_a PARTITION OF events_2 FOR VALUES FROM (500) TO (1001);
INSERT INTO events SELECT n, n, 'kind ' || n % 3, n FROM generate_series(1, 1000) n;
CREATE INDEX events_at_on_standby ON events (at);
CREATE INDEX events_id_needless ON events (id);
CREATE INDEX events_kind_needless ON events (lower(kind));
-- the foreign key of all is supported by one of each
CREATE INDEX events_1_parent ON events_1 (parent);
CREATE INDEX events_2_a_parent ON events_2_a (parent);
VACUUM ANALYZE;
