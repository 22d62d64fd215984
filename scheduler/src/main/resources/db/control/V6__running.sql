-- What the attempts of a run count against, and which runs have been followed by those that wait for their end.

ALTER TABLE run ADD COLUMN asked_after integer;
COMMENT ON COLUMN run.asked_after IS 'The last attempt before somebody asked for the run again: only later ones count against its terms.';

ALTER TABLE run ADD COLUMN followed boolean NOT NULL DEFAULT true;
ALTER TABLE run ALTER COLUMN followed SET DEFAULT false;
CREATE INDEX run_to_follow ON run (id) WHERE NOT followed AND ended_at IS NOT NULL;
COMMENT ON COLUMN run.followed IS 'Whether what is to begin after its end has been asked for.';
