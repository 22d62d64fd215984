-- What the watchdog needs to know of a run that works.

ALTER TABLE run ADD COLUMN progressed_at timestamptz;
COMMENT ON COLUMN run.progressed_at IS 'When its progress last changed.';
