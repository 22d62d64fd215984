package io.nightshift.infra.health;

import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.util.List;

/** A check that asks a server. */
abstract class SqlCheck implements HealthCheck {

    /** What a check asks: nodes of some role, or each database once, at the primary. */
    enum Where {
        EVERY_NODE,
        PRIMARY,
        STANDBYS,
        DATABASES;

        boolean includes(Answered node) {
            return this == EVERY_NODE || node.inRecovery() == (this == STANDBYS);
        }
    }

    private final String name;
    private final Where where;
    private final String summary;

    SqlCheck(String name, Where where, String summary) {
        this.name = name;
        this.where = where;
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
        return where == Where.DATABASES ? Scope.DATABASE : Scope.NODE;
    }

    final Where where() {
        return where;
    }

    /** What is wrong, or could not be judged; nothing when all is well. */
    abstract List<HealthResult> evaluate(HealthSession session) throws SQLException;

    final Wrong wrong(Severity severity, String subject, String detail, String remedy) {
        return new Wrong(name, subject, severity, detail, remedy);
    }

    final Wrong warning(String subject, String detail, String remedy) {
        return wrong(Severity.WARNING, subject, detail, remedy);
    }

    final Wrong critical(String subject, String detail, String remedy) {
        return wrong(Severity.CRITICAL, subject, detail, remedy);
    }

    final NotEvaluated notEvaluated(String subject, String reason) {
        return new NotEvaluated(name, subject, reason);
    }
}
