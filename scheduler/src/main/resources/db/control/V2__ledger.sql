-- The ledger: the truth about what ran, what did not, and why.

CREATE TABLE node (
    name       text PRIMARY KEY,
    host       text NOT NULL,
    pid        bigint NOT NULL,
    home       text NOT NULL,
    serves     boolean NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat       bigint NOT NULL DEFAULT 0,
    beaten_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE node IS 'Processes of Nightshift. A clean exit removes the row; a beat that no longer grows means death.';

CREATE SEQUENCE lease_token;

CREATE TABLE lease (
    name     text PRIMARY KEY,
    owner    text NOT NULL,
    token    bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE lease IS 'Who owns something now. Ends by release or take-over, never by time alone.';

CREATE TABLE run (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job            text NOT NULL,
    job_type       text NOT NULL,
    cluster        text NOT NULL,
    due            timestamptz,
    cause          text NOT NULL CHECK (cause IN ('schedule', 'request', 'chain', 'job')),
    actor          text NOT NULL,
    settings       jsonb NOT NULL,
    dry_run        boolean NOT NULL DEFAULT false,
    time_limit     bigint CHECK (time_limit > 0),
    node           text,
    state          text NOT NULL CHECK (state IN
                       ('queued', 'running', 'completed', 'failed', 'stopped', 'skipped', 'missed', 'refused')),
    reason         text,
    exit_status    integer,
    stop_requested text,
    progress       jsonb,
    report         jsonb,
    requested_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at     timestamptz,
    ended_at       timestamptz,
    UNIQUE (job, cluster, due),
    CHECK ((state IN ('queued', 'running')) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX run_one_at_a_time ON run (job, cluster) WHERE state IN ('queued', 'running');
CREATE INDEX run_newest_first ON run (requested_at DESC, id DESC);
COMMENT ON COLUMN run.node IS 'The process that must work this run; NULL: any that serves.';
COMMENT ON COLUMN run.time_limit IS 'Milliseconds.';

CREATE TABLE attempt (
    run           bigint NOT NULL REFERENCES run,
    number        integer NOT NULL,
    node          text NOT NULL,
    token         bigint NOT NULL,
    job_execution bigint,
    started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at      timestamptz,
    outcome       text,
    reason        text,
    PRIMARY KEY (run, number)
);

CREATE TABLE schedule_cursor (
    job             text NOT NULL,
    cluster         text NOT NULL,
    schedule        text NOT NULL,
    in_force_since  timestamptz NOT NULL,
    accounted_until timestamptz NOT NULL,
    PRIMARY KEY (job, cluster)
);
COMMENT ON TABLE schedule_cursor IS 'Up to when the due times of a job have become runs, under which schedule since when.';

CREATE TABLE finding (
    job       text NOT NULL,
    cluster   text NOT NULL,
    key       text NOT NULL,
    severity  text NOT NULL,
    subject   text NOT NULL,
    detail    text NOT NULL,
    remedy    text,
    state     text NOT NULL CHECK (state IN ('new', 'still', 'resolved', 'suppressed')),
    first_run bigint NOT NULL REFERENCES run,
    last_run  bigint NOT NULL REFERENCES run,
    PRIMARY KEY (job, cluster, key)
);
