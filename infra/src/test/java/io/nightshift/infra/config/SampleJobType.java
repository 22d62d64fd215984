package io.nightshift.infra.config;

import io.nightshift.infra.run.JobType;
import java.util.List;
import java.util.Optional;

/** A job type without a job behind it. */
record SampleJobType(String name) implements JobType {

    static final List<JobType> ALL = List.of(new SampleJobType("full-backup"), new SampleJobType("health-benchmark"));

    /** Stands for the scheduler's check: five fields. */
    static Optional<String> cronProblem(String expression) {
        return expression.split(" ", -1).length == 5
                ? Optional.empty()
                : Optional.of("\"" + expression + "\" is not accepted; accepted: five fields");
    }

    @Override
    public String summary() {
        return "does nothing";
    }

    @Override
    public Class<? extends Record> settings() {
        return SampleSettings.class;
    }

    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public String dryRun() {
        return "does nothing";
    }

    @Override
    public Class<?> configuration() {
        return SampleJobType.class;
    }
}
