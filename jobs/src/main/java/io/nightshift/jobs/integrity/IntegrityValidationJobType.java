package io.nightshift.jobs.integrity;

import io.nightshift.infra.run.JobType;
import java.util.Map;
import java.util.stream.Collectors;

/** {@code integrity-validation}. */
public final class IntegrityValidationJobType implements JobType {

    static final String NAME = "integrity-validation";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "looks for damaged pages and indexes, and for rows that break keys, constraints and rules";
    }

    @Override
    public Class<IntegritySettings> settings() {
        return IntegritySettings.class;
    }

    @Override
    public boolean heavy() {
        return true;
    }

    @Override
    public Map<String, String> otherClusters(Record settings) {
        return ((IntegritySettings) settings)
                .schema().like().entrySet().stream()
                        .collect(Collectors.toMap(
                                like -> "schema.like." + like.getKey(),
                                like -> like.getValue().cluster()));
    }

    @Override
    public String dryRun() {
        return "says on which server it would look, and at how much";
    }

    @Override
    public Class<IntegrityValidationJobConfiguration> configuration() {
        return IntegrityValidationJobConfiguration.class;
    }
}
