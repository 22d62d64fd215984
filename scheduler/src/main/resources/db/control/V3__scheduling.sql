-- What scheduling remembers besides runs.

CREATE TABLE pause (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job      text,
    cluster  text,
    reason   text NOT NULL,
    actor    text NOT NULL,
    since    timestamptz NOT NULL,
    until    timestamptz CHECK (until > since),
    ended_at timestamptz,
    ended_by text
);
COMMENT ON TABLE pause IS 'Who has paused what. NULL: every job, every cluster. Kept, so that late accounting knows what was paused when.';
