package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleCheck;
import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.config.Rules;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.Cancellation;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The rules of a cluster, held against its schema as it is now; none is asked. */
public record RuleCheckup(List<Row> rows) {

    private static final String PURPOSE = "rules check";

    /**
     * One rule.
     *
     * @param file its name in rules/
     * @param problems everything that keeps it from being asked
     */
    public record Row(String file, String rule, List<String> problems) {

        public Row {
            problems = List.copyOf(problems);
        }
    }

    public RuleCheckup {
        rows = List.copyOf(rows);
    }

    /** Looks on the primaries. */
    public static RuleCheckup of(
            DatabaseOrchestrator clusters, Rules rules, String cluster, Cancellation cancellation) {
        List<Row> rows = new ArrayList<>();
        for (Rules.OfFile file : rules.of(cluster)) {
            try (RuleServer server = server(clusters, cluster, file.login(), cancellation)) {
                for (RuleConfig rule : file.rules()) {
                    rows.add(new Row(
                            file.name(), rule.id(), problems(clusters, rules, file, rule, server, cancellation)));
                }
            } catch (SQLException lost) {
                throw SqlStates.failure("session for rules of cluster " + cluster + " not closed", lost);
            }
        }
        return new RuleCheckup(rows);
    }

    /** How many rules cannot be asked as they are. */
    public long wrong() {
        return rows.stream().filter(row -> !row.problems().isEmpty()).count();
    }

    private static RuleServer server(
            DatabaseOrchestrator clusters, String cluster, @Nullable RuleLogin login, Cancellation cancellation) {
        ManagedNode node = clusters.cluster(cluster).node(Intent.PRIMARY);
        return new RuleServer(
                "primary " + node.address(),
                RuleServer.Kind.LOOKED_AT,
                database -> RuleSession.connect(node, database, PURPOSE, login),
                cancellation);
    }

    private static List<String> problems(
            DatabaseOrchestrator clusters,
            Rules rules,
            Rules.OfFile file,
            RuleConfig rule,
            RuleServer server,
            Cancellation cancellation)
            throws SQLException {
        try {
            List<String> problems = server.prepare(rule).problems();
            if (!problems.isEmpty() || !(rule.check() instanceof RuleCheck.Compare compare)) {
                return problems;
            }
            String other = compare.cluster() == null ? file.cluster() : compare.cluster();
            RuleLogin login = other.equals(file.cluster())
                    ? file.login()
                    : rules.login(other).orElse(null);
            try (RuleServer there = server(clusters, other, login, cancellation)) {
                return new Comparison(rule, server, there).problems();
            }
        } catch (Unanswered unanswered) {
            return List.of(unanswered.reason());
        }
    }
}
