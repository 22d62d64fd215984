package io.nightshift.infra.health;

import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.Severity;
import java.util.List;

/** A check of the nodes together, judged from what they said when they were observed. */
abstract class ClusterCheck implements HealthCheck {

    private final String name;
    private final String summary;

    ClusterCheck(String name, String summary) {
        this.name = name;
        this.summary = summary;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String summary() {
        return summary;
    }

    @Override
    public final Scope scope() {
        return Scope.CLUSTER;
    }

    /** What is wrong, or could not be judged; nothing when all is well. */
    abstract List<HealthResult> judge(ObservedCluster cluster);

    final Wrong critical(String subject, String detail, String remedy) {
        return new Wrong(name, subject, Severity.CRITICAL, detail, remedy);
    }
}
