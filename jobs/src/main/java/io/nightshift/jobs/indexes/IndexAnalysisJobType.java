package io.nightshift.jobs.indexes;

import io.nightshift.infra.run.JobType;

/** {@code index-analysis}. */
public final class IndexAnalysisJobType implements JobType {

    static final String NAME = "index-analysis";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "looks for indexes that are unused, redundant, broken, bloated or missing, and for queries that have become slower";
    }

    @Override
    public Class<IndexAnalysisSettings> settings() {
        return IndexAnalysisSettings.class;
    }

    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public String dryRun() {
        return "says which databases and nodes it would look at";
    }

    @Override
    public Class<IndexAnalysisJobConfiguration> configuration() {
        return IndexAnalysisJobConfiguration.class;
    }
}
