-- What large work was cut into, and what of a cluster was looked at when.

CREATE TABLE chunk (
    run     bigint NOT NULL REFERENCES run ON DELETE CASCADE,
    number  integer NOT NULL,
    place   text NOT NULL,
    work    text NOT NULL,
    outcome text,
    PRIMARY KEY (run, number)
);
COMMENT ON TABLE chunk IS 'Parts of a run''s work that are finished one by one: a restart repeats none of them.';
COMMENT ON COLUMN chunk.place IS 'Which server''s bytes they are; what was planned for another one is planned anew.';
COMMENT ON COLUMN chunk.outcome IS 'What came of it; null until it is finished.';

CREATE TABLE covered_target (
    cluster text NOT NULL,
    target  text NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (cluster, target)
);
COMMENT ON TABLE covered_target IS 'When each target was last covered whole: the oldest come first.';
