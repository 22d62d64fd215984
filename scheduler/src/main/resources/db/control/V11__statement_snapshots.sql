-- What statements had cost when they were looked at, what they say and how they were planned, so that nights can be compared.

CREATE TABLE statement_snapshot (
    cluster      text NOT NULL,
    node         text NOT NULL,
    series       text NOT NULL,
    at           timestamptz NOT NULL,
    evicted      bigint NOT NULL,
    whole        boolean NOT NULL,
    databases    bigint[] NOT NULL,
    queries      bigint[] NOT NULL,
    users        bigint[] NOT NULL,
    toplevel     boolean[] NOT NULL,
    since        text[] NOT NULL,
    calls        bigint[] NOT NULL,
    milliseconds double precision[] NOT NULL,
    row_counts   bigint[] NOT NULL,
    blocks       bigint[] NOT NULL,
    PRIMARY KEY (cluster, node, at)
);
COMMENT ON TABLE statement_snapshot IS 'pg_stat_statements of a node at one look: one element of each array for a statement.';
COMMENT ON COLUMN statement_snapshot.series IS 'System, and since when it counts: what must be the same to compare two snapshots.';

CREATE TABLE statement_text (
    cluster  text NOT NULL,
    database bigint NOT NULL,
    query    bigint NOT NULL,
    content  text NOT NULL,
    cut      boolean NOT NULL,
    seen     timestamptz NOT NULL,
    PRIMARY KEY (cluster, database, query)
);
COMMENT ON TABLE statement_text IS 'What statements say, once each, as long as a snapshot has them.';

CREATE TABLE statement_plan (
    cluster    text NOT NULL,
    database   bigint NOT NULL,
    query      bigint NOT NULL,
    digest     text NOT NULL,
    content    text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    PRIMARY KEY (cluster, database, query, digest)
);
COMMENT ON TABLE statement_plan IS 'The shapes of plans that a query has had.';
