-- What the indexes of managed databases were used for, night by night and on every node, so that one is called unused after
-- weeks and not after a restart.

CREATE TABLE index_watch (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster       text NOT NULL,
    database      text NOT NULL,
    node          text NOT NULL,
    part          text NOT NULL,
    database_oid  bigint NOT NULL,
    reset_at      timestamptz,
    lost_at       timestamptz,
    looked_at     timestamptz NOT NULL,
    trusted_since timestamptz NOT NULL,
    because       text NOT NULL,
    UNIQUE (cluster, database, node)
);
COMMENT ON TABLE index_watch IS 'When a node was last asked what it uses in a database, and since when its answers leave nothing out.';
COMMENT ON COLUMN index_watch.part IS 'System and role, and of a primary its timeline: another one begins with a promotion.';
COMMENT ON COLUMN index_watch.reset_at IS 'Since when the server counts in this database; null if it does not know.';
COMMENT ON COLUMN index_watch.lost_at IS 'When the server has last lost or reset all of its statistics.';

CREATE TABLE watched_relation (
    watch       bigint NOT NULL REFERENCES index_watch ON DELETE CASCADE,
    relation    bigint NOT NULL,
    is_index    boolean NOT NULL,
    table_oid   bigint NOT NULL,
    root        bigint NOT NULL,
    filenode    bigint NOT NULL,
    shape       bigint NOT NULL,
    pages       bigint NOT NULL,
    rows        bigint NOT NULL,
    first_seen  timestamptz NOT NULL,
    disturbed   timestamptz,
    last_scan   timestamptz,
    counts      bigint[] NOT NULL,
    PRIMARY KEY (watch, relation)
);
COMMENT ON TABLE watched_relation IS 'Tables and indexes with what was counted at the last look at which any of it had changed.';
COMMENT ON COLUMN watched_relation.disturbed IS 'Of a table: when an index that was used has last gone, whose queries others have to answer since.';
COMMENT ON COLUMN watched_relation.counts IS 'Scans, rows read, inserted, updated, HOT updated, updated onto another page, deleted.';

CREATE TABLE relation_activity (
    watch    bigint NOT NULL REFERENCES index_watch ON DELETE CASCADE,
    at       timestamptz NOT NULL,
    relation bigint NOT NULL,
    counts   bigint[] NOT NULL
);
CREATE INDEX relation_activity_at ON relation_activity (watch, at);
COMMENT ON TABLE relation_activity IS 'What was counted from one look to the next, where that was anything; forgotten after the longest window.';
