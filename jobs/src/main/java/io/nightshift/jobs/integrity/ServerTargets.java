package io.nightshift.jobs.integrity;

import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Everything on a server that can be looked at, in all databases that are to be; what cannot be is there too, with the reason. */
final class ServerTargets {

    private static final Duration CATALOG_LIMIT = Duration.ofMinutes(1);

    private final RunContext run;
    private final ManagedCluster cluster;
    private final IntegritySettings settings;

    ServerTargets(RunContext run, ManagedCluster cluster, IntegritySettings settings) {
        this.run = run;
        this.cluster = cluster;
        this.settings = settings;
    }

    List<Target> of(JudgedServer server) {
        List<String> databases = Databases.of(server, cluster, run);
        List<Target> targets = new ArrayList<>();
        databases.forEach(database -> targets.addAll(targets(server, database, databases.get(0))));
        targets.removeIf(target -> settings.except().contains(target.check()));
        return targets;
    }

    private List<Target> targets(JudgedServer server, String database, String withShared) {
        boolean isCopy = server instanceof JudgedServer.Copy;
        try (CheckSession session = CheckSession.of(server.connect(database), run.cancellation())) {
            session.limit(CATALOG_LIMIT);
            if (isCopy && !run.dryRun()) {
                Amcheck.install(session);
            }
            ForeignCode code = server instanceof JudgedServer.Node ? ForeignCode.of(session) : ForeignCode.HARMLESS;
            return new Targets(session, database, withShared, isCopy)
                    .read(settings.deep() && !server.isStandby()).stream()
                            .map(code::without)
                            .toList();
        } catch (SQLException e) {
            run.cancellation().check();
            if (CheckFailure.of(e) == CheckFailure.CONNECTION_LOST) {
                throw SqlStates.failure(server + " was lost while its catalogs were read", e);
            }
            return Targets.none(database, CheckFailure.message(e));
        } catch (NightshiftException refused) {
            if (refused.kind() != FailureKind.CONFIGURATION) {
                throw refused;
            }
            return Targets.none(database, String.valueOf(refused.getMessage()));
        }
    }
}
