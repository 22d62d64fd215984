package io.nightshift.jobs.integrity;

import io.nightshift.infra.run.JobType;

/** {@code bisect-damage}. */
public final class BisectDamageJobType implements JobType {

    /** Also the name of its command. */
    public static final String NAME = "bisect-damage";

    /** The setting that says what is looked for. */
    public static final String FINDING = "finding";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "finds the newest backup that is proven clean of a finding, by restoring some of them and looking";
    }

    @Override
    public Class<BisectSettings> settings() {
        return BisectSettings.class;
    }

    /** It works on this machine and in the storages. */
    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public String dryRun() {
        return "says how many backups it would restore at most";
    }

    @Override
    public Class<BisectDamageJobConfiguration> configuration() {
        return BisectDamageJobConfiguration.class;
    }
}
