-- What the schemas of databases were, so that a night is told from the one before, and what people expect them to be.

CREATE TABLE seen_schema (
    cluster  text NOT NULL,
    database text NOT NULL,
    run      bigint NOT NULL REFERENCES run ON DELETE CASCADE,
    at       timestamptz NOT NULL,
    content  bytea,
    PRIMARY KEY (cluster, database, run)
);
CREATE INDEX seen_schema_run ON seen_schema (run);
COMMENT ON TABLE seen_schema IS 'The newest of a completed run for each database, and those of runs after it.';
COMMENT ON COLUMN seen_schema.content IS 'JSON, compressed with zstd; null if the database was there no more.';

CREATE TABLE accepted_schema (
    cluster  text NOT NULL,
    database text NOT NULL,
    at       timestamptz NOT NULL,
    by       text NOT NULL,
    content  bytea NOT NULL,
    PRIMARY KEY (cluster, database)
);
COMMENT ON TABLE accepted_schema IS 'What a database is compared with each night until another one is accepted.';
