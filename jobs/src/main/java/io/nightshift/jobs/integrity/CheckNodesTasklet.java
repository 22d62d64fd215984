package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Looks at a part of the pages of each node that was not judged, because no other server shows its damage: one chunk at a
 * time, and at rest for most of it, so that it needs no place for heavy work. Each chunk is finished in the book.
 */
final class CheckNodesTasklet implements Tasklet {

    /** For each second of work. */
    private static final int SECONDS_OF_REST = 3;

    private static final Duration LOOK_AGAIN = Duration.ofMillis(100);

    private final RunContext run;
    private final Judgements judgements;
    private final DatabaseOrchestrator clusters;
    private final ChunkBook book;
    private final Clock clock;
    private final List<List<String>> looks = new ArrayList<>();

    CheckNodesTasklet(
            RunContext run, Judgements judgements, DatabaseOrchestrator clusters, ChunkBook book, Clock clock) {
        this.run = run;
        this.judgements = judgements;
        this.clusters = clusters;
        this.book = book;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        judgements.of(run.id()).ifPresent(judgement -> checkBeside(judgement.server()));
        return RepeatStatus.FINISHED;
    }

    private void checkBeside(JudgedServer judged) {
        IntegritySettings settings = run.settings(IntegritySettings.class);
        looks.clear();
        tell(judged.coverage(), Coverage.of(judged.coverage(), book, run.cluster()), planned(judged.toString()));
        if (!settings.everyNodeWithin().isZero()) {
            long deadline = System.nanoTime() + settings.timeLimit().toNanos();
            ManagedCluster cluster = clusters.cluster(run.cluster());
            for (NodeAddress address : cluster.config().nodes()) {
                if (!address.toString().equals(judged.coverage())) {
                    check(cluster, cluster.node(address), settings, deadline);
                }
            }
        }
        run.section(Section.table(
                "looks at servers", List.of("server", "objects", "size", "oldest look", "never looked at"), looks));
    }

    private List<Target> planned(String place) {
        return book.chunks(run, place).stream()
                .map(chunk -> Piece.parse(chunk.work()).target())
                .distinct()
                .toList();
    }

    private void check(ManagedCluster cluster, ManagedNode node, IntegritySettings settings, long deadline) {
        String keys = IntegrityReport.keysOf(node.address().toString());
        try {
            checkThere(cluster, node, settings, deadline);
        } catch (NightshiftException away) {
            run.cancellation().check();
            if (away.kind() != FailureKind.POSTGRES_UNAVAILABLE) {
                throw away;
            }
            run.notEvaluated(new NotEvaluated(
                    "pages of node " + node.address(), String.valueOf(away.getMessage()), List.of(keys)));
        } catch (SQLException e) {
            run.cancellation().check();
            NightshiftException lost = SqlStates.failure("node " + node.address() + " was lost", e);
            run.notEvaluated(new NotEvaluated(
                    "pages of node " + node.address(), String.valueOf(lost.getMessage()), List.of(keys)));
        }
    }

    private void checkThere(ManagedCluster cluster, ManagedNode node, IntegritySettings settings, long deadline)
            throws SQLException {
        String address = node.address().toString();
        run.progress().begin("check node " + address, null, "bytes");
        JudgedServer server = JudgedServer.beside(cluster, node, run.purpose());
        Coverage coverage = Coverage.of(server.coverage(), book, run.cluster());
        List<Target> all = new ServerTargets(run, cluster, settings)
                .of(server).stream()
                        .filter(target -> target.check().looksForDamage())
                        .toList();
        Duration within = settings.everyNodeWithin();
        String place = "pages of " + server;
        if (book.chunks(run, place).isEmpty()) {
            List<Target> judgeable =
                    all.stream().filter(target -> target.gap() == null).toList();
            long blocks = settings.chunkSize().bytes() / Piece.BLOCK;
            book.plan(
                    run,
                    place,
                    NodeSlice.of(judgeable, coverage, within, clock.instant()).stream()
                            .flatMap(target -> Piece.of(target, blocks).stream())
                            .map(Piece::json)
                            .toList());
        }
        workOff(node, server, settings, place, deadline);
        IntegrityReport report = IntegrityReport.of(book.chunks(run, place));
        report.writeOfNode(run, address);
        run.checkOwnership();
        Instant now = clock.instant();
        coverage.keep(all, report.sound(), report.wrong(), now);
        List<Target> overdue = coverage.overdue(all, within, now);
        if (!overdue.isEmpty()) {
            run.notEvaluated(new NotEvaluated(
                    "pages of node " + address + " (" + overdue.size() + " objects)",
                    "not looked at for longer than every-node-within " + Durations.print(within)
                            + ": give it more time-limit",
                    overdue.stream()
                            .map(target -> IntegrityReport.keyOnNode(address, target))
                            .toList()));
        }
        gaps(address, all);
        tell(address, coverage, all);
    }

    private void gaps(String address, List<Target> all) {
        all.stream()
                .filter(target -> target.gap() != null)
                .collect(Collectors.groupingBy(
                        target -> String.valueOf(target.gap()),
                        LinkedHashMap::new,
                        Collectors.mapping(target -> IntegrityReport.keyOnNode(address, target), Collectors.toList())))
                .forEach(
                        (reason, keys) -> run.notEvaluated(new NotEvaluated("pages of node " + address, reason, keys)));
    }

    private void workOff(ManagedNode node, JudgedServer server, IntegritySettings settings, String place, long deadline)
            throws SQLException {
        List<Chunk> open = book.chunks(run, place).stream()
                .filter(chunk -> !chunk.isFinished())
                .toList();
        Piece.begin(
                run.progress(),
                "check " + server,
                open.stream().map(chunk -> Piece.parse(chunk.work())).toList());
        try (GiveWay others = new GiveWay(CheckSession.of(node.direct(run.purpose()), run.cancellation()));
                PieceCheck check =
                        new PieceCheck(server, settings, run, others, () -> System.nanoTime() - deadline > 0)) {
            for (Chunk chunk : open) {
                if (System.nanoTime() - deadline > 0) {
                    return;
                }
                Piece piece = Piece.parse(chunk.work());
                long begun = System.nanoTime();
                book.finish(run, Map.of(chunk.number(), check.look(piece).json()));
                CrashPoint.reach("integrity-validation.node-chunk-" + chunk.number());
                piece.isDone(run.progress());
                rest(SECONDS_OF_REST * (System.nanoTime() - begun));
            }
        }
    }

    private void rest(long nanos) {
        long until = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = until - System.nanoTime()) {
            run.cancellation().check();
            LockSupport.parkNanos(Math.min(left, LOOK_AGAIN.toNanos()));
        }
    }

    private void tell(String server, Coverage coverage, List<Target> targets) {
        looks.add(List.of(
                server,
                Integer.toString(targets.size()),
                new DataSize(targets.stream().mapToLong(Target::bytes).sum()).rounded(),
                coverage.oldest(targets)
                        .map(look -> look.truncatedTo(ChronoUnit.SECONDS).toString())
                        .orElse("-"),
                Long.toString(coverage.never(targets))));
    }
}
