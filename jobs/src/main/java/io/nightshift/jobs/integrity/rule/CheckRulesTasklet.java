package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.RuleCheck;
import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.config.Rules;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.RunContext;
import io.nightshift.jobs.integrity.IntegritySettings;
import io.nightshift.jobs.integrity.IntegritySettings.Where;
import io.nightshift.jobs.integrity.JudgedServer;
import java.sql.SQLException;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Asks the rules of the cluster, and tells of all of them at the end: an attempt that dies before has told nothing. */
final class CheckRulesTasklet implements Tasklet {

    private static final Logger LOG = LoggerFactory.getLogger(CheckRulesTasklet.class);

    /** What keeps the rules of one server from being asked, and not the run from the others. */
    private static final Set<FailureKind> AWAY =
            Set.of(FailureKind.POSTGRES_UNAVAILABLE, FailureKind.CONFIGURATION, FailureKind.REFUSED);

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final RestoredCopies copies;
    private final Rules rules;
    private final Clock clock;

    CheckRulesTasklet(RunContext run, DatabaseOrchestrator clusters, RestoredCopies copies, Rules rules, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.copies = copies;
        this.rules = rules;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        List<Rules.OfFile> files = rules.of(run.cluster());
        long count = files.stream().mapToLong(file -> file.rules().size()).sum();
        if (count == 0 || run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        run.progress().begin("check rules", count, "rules");
        long deadline = System.nanoTime()
                + run.settings(IntegritySettings.class).timeLimit().toNanos();
        List<RuleResult> results = new ArrayList<>();
        files.forEach(file -> results.addAll(ask(file, deadline)));
        RuleReport report = new RuleReport(results, LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC));
        report.write(run);
        run.remember("rules", report.summary());
        return RepeatStatus.FINISHED;
    }

    private List<RuleResult> ask(Rules.OfFile file, long deadline) {
        Where usual = run.settings(IntegritySettings.class).where();
        Map<Where, List<RuleConfig>> byPlace = new EnumMap<>(Where.class);
        List<RuleResult> results = new ArrayList<>();
        for (RuleConfig rule : file.rules()) {
            if (rule.check() instanceof RuleCheck.Compare compare) {
                results.add(compare(file, rule, compare, deadline));
            } else {
                byPlace.computeIfAbsent(place(rule, usual), any -> new ArrayList<>())
                        .add(rule);
            }
        }
        byPlace.forEach((where, some) -> results.addAll(ask(where, file.login(), some, deadline)));
        return results;
    }

    /** What is new only shows on a node: a copy is as old as its backup. */
    private static Where place(RuleConfig rule, Where usual) {
        RuleConfig.Route route = rule.running().route();
        if (route != null) {
            return Where.valueOf(route.name());
        }
        boolean ofNow = rule.check() instanceof RuleCheck.Freshness || rule.check() instanceof RuleCheck.Compare;
        return ofNow ? Where.PRIMARY : usual;
    }

    private JudgedServer choose(String cluster, Where where) {
        ManagedCluster managed = clusters.cluster(cluster);
        return JudgedServer.choose(where, managed, copies, run, clock.instant());
    }

    /** A rule that is not asked by then is not evaluated. */
    private Optional<RuleResult> tooLate(RuleConfig rule, long deadline, String where) {
        return deadline - System.nanoTime() > 0
                ? Optional.empty()
                : Optional.of(RuleResult.notEvaluated(
                        rule,
                        "not reached within time-limit "
                                + Durations.print(
                                        run.settings(IntegritySettings.class).timeLimit()),
                        where));
    }

    /** What goes wrong with one answer takes none of the others with it. Its words may hold what is masked. */
    private static RuleResult guarded(RuleConfig rule, String where, Supplier<RuleResult> judging) {
        try {
            return judging.get();
        } catch (NightshiftException away) {
            throw away;
        } catch (RuntimeException odd) {
            return RuleResult.notEvaluated(
                    rule, "its answer is not understood: " + odd.getClass().getSimpleName(), where);
        }
    }

    private static String routed(Where where) {
        return "route " + where.name().toLowerCase(Locale.ROOT);
    }

    private List<RuleResult> ask(Where where, @Nullable RuleLogin login, List<RuleConfig> some, long deadline) {
        List<RuleResult> results = new ArrayList<>();
        try (JudgedServer place = choose(run.cluster(), where);
                RuleServer server = RuleServer.of(place, login, run)) {
            var judge = new RuleJudge(server);
            for (RuleConfig rule : some) {
                run.cancellation().check();
                results.add(tooLate(rule, deadline, server.toString())
                        .orElseGet(() -> guarded(rule, server.toString(), () -> judge.judge(rule)))
                        .ofCopy(server.isCopy()));
                run.progress().advance(1);
            }
        } catch (SQLException lost) {
            // It is gone with its answers told.
            LOG.debug("session for rules of cluster {} not closed: {}", run.cluster(), lost.getMessage());
        } catch (NightshiftException away) {
            return left(away, results, some, where);
        }
        return results;
    }

    private static List<RuleResult> left(
            NightshiftException away, List<RuleResult> results, List<RuleConfig> some, Where where) {
        if (!AWAY.contains(away.kind())) {
            throw away;
        }
        some.subList(results.size(), some.size())
                .forEach(rule ->
                        results.add(RuleResult.notEvaluated(rule, String.valueOf(away.getMessage()), routed(where))));
        return results;
    }

    /** The places on two clusters are taken in the order of their names, so that two runs never wait for each other. */
    private RuleResult compare(Rules.OfFile file, RuleConfig rule, RuleCheck.Compare compare, long deadline) {
        run.cancellation().check();
        Where where = place(rule, Where.PRIMARY);
        Optional<RuleResult> late = tooLate(rule, deadline, routed(where));
        if (late.isPresent()) {
            return late.get();
        }
        String other = compare.cluster() == null ? run.cluster() : compare.cluster();
        boolean isOne = other.equals(run.cluster());
        boolean otherFirst = other.compareTo(run.cluster()) < 0;
        try (JudgedServer first = choose(otherFirst ? other : run.cluster(), where);
                JudgedServer second = isOne ? null : choose(otherFirst ? run.cluster() : other, where);
                RuleServer here = RuleServer.of(second == null || !otherFirst ? first : second, file.login(), run);
                RuleServer there = RuleServer.of(
                        second == null || otherFirst ? first : second,
                        isOne ? file.login() : rules.login(other).orElse(null),
                        run)) {
            RuleResult result = guarded(rule, routed(where), () -> new Comparison(rule, here, there).judge());
            run.progress().advance(1);
            return result.ofCopy(here.isCopy() || there.isCopy());
        } catch (SQLException lost) {
            return RuleResult.notEvaluated(rule, "its session was not closed: " + lost.getMessage(), routed(where));
        } catch (NightshiftException away) {
            return left(away, new ArrayList<>(), List.of(rule), where).get(0);
        }
    }
}
