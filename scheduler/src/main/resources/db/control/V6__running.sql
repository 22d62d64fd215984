-- What the attempts of a run count against.

ALTER TABLE run ADD COLUMN asked_after integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN run.asked_after IS 'The last attempt before somebody asked for the run again: only later ones count against its terms.';
