package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobType;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The job types on the class path, by name. */
public final class JobTypes {

    private final Map<String, JobType> byName = new TreeMap<>();

    public JobTypes(Iterable<JobType> types) {
        types.forEach(type -> byName.put(type.name(), type));
    }

    public static JobTypes onClassPath() {
        return new JobTypes(ServiceLoader.load(JobType.class));
    }

    public Collection<JobType> all() {
        return byName.values();
    }

    public Optional<JobType> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    public JobType get(String name) {
        return find(name)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "job type " + name + " does not exist",
                        "job types: " + String.join(", ", byName.keySet())));
    }
}
