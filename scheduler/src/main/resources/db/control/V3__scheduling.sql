-- What scheduling remembers of runs and besides them.

ALTER TABLE run
    ADD COLUMN terms       jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN priority    smallint NOT NULL DEFAULT 5,
    ADD COLUMN cause_run   bigint REFERENCES run,
    ADD COLUMN not_before  timestamptz,
    ADD COLUMN waiting_for text,
    DROP COLUMN time_limit;
CREATE INDEX run_by_cause ON run (cause_run) WHERE cause_run IS NOT NULL;
CREATE INDEX run_waiting ON run (priority DESC, id) WHERE state = 'queued';
CREATE INDEX run_of_job ON run (job, cluster, requested_at DESC, id DESC);
COMMENT ON COLUMN run.terms IS 'Limits, attempts and exclusive groups, as they were when the run was asked for.';
COMMENT ON COLUMN run.cause_run IS 'The run that this one follows, or that asked for it.';
COMMENT ON COLUMN run.not_before IS 'A further attempt waits until then.';
COMMENT ON COLUMN run.waiting_for IS 'Why a queued run has not begun, in plain words.';

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

CREATE TABLE condition (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key       text NOT NULL,
    kind      text NOT NULL,
    job       text,
    cluster   text,
    run       bigint REFERENCES run ON DELETE CASCADE,
    severity  text NOT NULL,
    subject   text NOT NULL,
    detail    text NOT NULL,
    remedy    text,
    began_at  timestamptz NOT NULL,
    seen_at   timestamptz NOT NULL,
    ended_at  timestamptz
);
CREATE UNIQUE INDEX condition_once ON condition (key) WHERE ended_at IS NULL;
CREATE INDEX condition_newest_first ON condition (began_at DESC);
COMMENT ON TABLE condition IS 'What the watchdog saw: late, missed, overdue, stuck, longer than usual, lost. Open while ended_at is NULL.';

CREATE TABLE run_log (
    run     bigint PRIMARY KEY REFERENCES run ON DELETE CASCADE,
    lines   integer NOT NULL,
    dropped integer NOT NULL DEFAULT 0,
    text    text NOT NULL
);
COMMENT ON TABLE run_log IS 'The log lines of a run, the newest ones where there were too many.';

CREATE TABLE run_month (
    month        date NOT NULL,
    job          text NOT NULL,
    job_type     text NOT NULL,
    cluster      text NOT NULL,
    completed    integer NOT NULL,
    failed       integer NOT NULL,
    stopped      integer NOT NULL,
    skipped      integer NOT NULL,
    missed       integer NOT NULL,
    refused      integer NOT NULL,
    seconds_p50  double precision,
    seconds_p95  double precision,
    bytes        double precision,
    PRIMARY KEY (month, job, cluster)
);
COMMENT ON TABLE run_month IS 'What is kept of runs that housekeeping has deleted.';
