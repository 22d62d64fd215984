-- What servers had counted when they were looked at, so that a health check judges a day and not a lifetime.

CREATE TABLE counter_reading (
    cluster text NOT NULL,
    node    text NOT NULL,
    series  text NOT NULL,
    at      timestamptz NOT NULL,
    names   text[] NOT NULL,
    counts  bigint[] NOT NULL,
    PRIMARY KEY (cluster, node, at)
);
COMMENT ON TABLE counter_reading IS 'Counters of nodes at earlier looks: at most one look an hour, back to the one of the day before.';
COMMENT ON COLUMN counter_reading.series IS 'System, timeline, role, and since when the server counts: what must be the same to compare two readings.';
