-- Pages of the history by each of its filters, read from an index and nowhere sorted.

CREATE INDEX run_newest_first_of_job ON run (job, requested_at DESC, id DESC);
CREATE INDEX run_newest_first_of_cluster ON run (cluster, requested_at DESC, id DESC);
CREATE INDEX run_newest_first_of_type ON run (job_type, requested_at DESC, id DESC);
CREATE INDEX run_newest_first_in_state ON run (state, requested_at DESC, id DESC);
CREATE INDEX run_newest_first_with_findings ON run (requested_at DESC, id DESC)
    WHERE report #> '{findings,0}' IS NOT NULL;
