package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.launch.ScheduleClock;
import io.nightshift.scheduler.ledger.ScheduledJob;
import io.nightshift.scheduler.watchdog.Facts.OfJob;
import io.nightshift.scheduler.watchdog.Facts.Threads;
import io.nightshift.scheduler.watchdog.Facts.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is wrong with the engine: Quartz's triggers and threads, the clocks, the node itself. */
final class EngineJudge {

    /** Quartz fires within seconds, or lets a trigger go that it has acquired in vain. */
    static final Duration FIRED_WITHIN = Duration.ofMinutes(2);
    /** Quartz compares the clocks of nodes and takes one for dead that is about this far behind. */
    private static final Duration SKEW = Duration.ofSeconds(5);

    private static final Set<String> AT_WORK_OR_DONE = Set.of("WAITING", "COMPLETE");

    private EngineJudge() {}

    static Stream<Condition> judge(Facts facts) {
        Map<String, Trigger> due = facts.triggers().stream()
                .filter(trigger -> trigger.group().equals(ScheduleClock.GROUP))
                .collect(Collectors.toMap(Trigger::name, Function.identity(), (one, another) -> one));
        return Stream.of(
                        facts.jobs().stream().flatMap(job -> armed(job, due, facts).stream()),
                        stuck(facts).stream().map(trigger -> stuck(trigger, facts)),
                        facts.node().threads().stream().flatMap(threads -> exhausted(threads, facts).stream()),
                        clock(facts.node()),
                        absence(facts.node()).stream(),
                        ping(facts.node()).stream())
                .flatMap(part -> part);
    }

    private static Optional<Condition> armed(OfJob job, Map<String, Trigger> triggers, Facts facts) {
        ScheduledJob scheduled = job.scheduled();
        if (scheduled == null || JobJudge.cursorInForce(scheduled, job.past()) == null) {
            return Optional.empty();
        }
        Instant due = scheduled
                .schedule()
                .next(facts.now().minus(scheduled.offset()))
                .map(next -> next.at().plus(scheduled.offset()))
                .orElse(null);
        String name = ScheduleClock.triggerName(scheduled);
        Optional<Trigger> armed = Optional.ofNullable(triggers.get(name));
        if (due == null || armed.filter(trigger -> !trigger.next().isAfter(due)).isPresent()) {
            return Optional.empty();
        }
        return Optional.of(new Condition(
                "trigger/" + name,
                ConditionKind.TRIGGER_MISSING,
                job.job(),
                job.cluster(),
                null,
                Severity.WARNING,
                job.subject(),
                "Quartz has "
                        + armed.map(trigger -> "a trigger at " + trigger.next() + " only")
                                .orElse("no trigger") + " for the due time " + due,
                "it is armed again within half a minute; if this stays, look into the log of nightshift serve"));
    }

    /** Triggers that Quartz will never fire; it must be told to forget them. */
    static List<Trigger> stuck(Facts facts) {
        return facts.triggers().stream()
                .filter(trigger ->
                        !AT_WORK_OR_DONE.contains(trigger.state()) && !trigger.fired() && isOverdue(trigger, facts))
                .toList();
    }

    private static boolean isOverdue(Trigger trigger, Facts facts) {
        return trigger.next().plus(FIRED_WITHIN).isBefore(facts.databaseNow());
    }

    private static Condition stuck(Trigger trigger, Facts facts) {
        return new Condition(
                "trigger-stuck/" + trigger.scheduler() + "/" + trigger.name(),
                ConditionKind.TRIGGER_STUCK,
                null,
                null,
                null,
                Severity.WARNING,
                "trigger " + trigger.name() + " of Quartz scheduler " + trigger.scheduler(),
                "state " + trigger.state() + ", due " + trigger.next() + ", "
                        + minutes(Duration.between(trigger.next(), facts.databaseNow()))
                        + " ago, and nobody fires it",
                "it is taken away and made again; if this stays, look into the log of nightshift serve");
    }

    /** Triggers of a scheduler that wait although their time has come. */
    static List<Trigger> waiting(String scheduler, Facts facts) {
        return facts.triggers().stream()
                .filter(trigger -> trigger.scheduler().equals(scheduler)
                        && trigger.state().equals("WAITING")
                        && isOverdue(trigger, facts))
                .toList();
    }

    private static Optional<Condition> exhausted(Threads threads, Facts facts) {
        List<Trigger> waiting = waiting(threads.scheduler(), facts);
        return waiting.isEmpty() || !threads.areExhausted()
                ? Optional.empty()
                : Optional.of(ofNode(
                        facts.node().name(),
                        "threads/" + threads.scheduler(),
                        ConditionKind.THREADS_EXHAUSTED,
                        Severity.WARNING,
                        "all " + threads.size() + " threads of Quartz scheduler " + threads.scheduler() + " work and "
                                + waiting.size() + (waiting.size() == 1 ? " trigger waits" : " triggers wait"),
                        "nightshift history --state running shows what works; raise work-threads in nightshift.yaml"));
    }

    private static Stream<Condition> clock(Facts.OfNode node) {
        @Nullable Duration jump = node.clock().jump();
        Optional<Condition> skewed = node.skew().abs().compareTo(SKEW) <= 0
                ? Optional.empty()
                : Optional.of(ofNode(
                        node.name(),
                        "clock-skew",
                        ConditionKind.CLOCK,
                        Severity.ERROR,
                        "its clock is " + print(node.skew()) + (node.skew().isNegative() ? " behind" : " ahead of")
                                + " the control database's",
                        "let both machines take their time from the network (timedatectl status)"));
        Optional<Condition> jumped = jump == null
                ? Optional.empty()
                : Optional.of(ofNode(
                        node.name(),
                        "clock-jump",
                        ConditionKind.CLOCK,
                        Severity.WARNING,
                        "its clock has jumped " + (jump.isNegative() ? "back" : "forward") + " by " + print(jump),
                        "nightshift history shows what was made up for or missed; timedatectl status"));
        return Stream.of(skewed, jumped).flatMap(Optional::stream);
    }

    private static Optional<Condition> absence(Facts.OfNode node) {
        @Nullable Duration absence = node.clock().absence();
        return absence == null
                ? Optional.empty()
                : Optional.of(ofNode(
                        node.name(),
                        "unwatched",
                        ConditionKind.UNWATCHED,
                        Severity.WARNING,
                        "it did not look for " + print(absence)
                                + ": its process stood still, or the control database was away",
                        "nightshift history shows what was made up for or missed meanwhile"));
    }

    private static Optional<Condition> ping(Facts.OfNode node) {
        String fact = node.ping();
        return fact == null
                ? Optional.empty()
                : Optional.of(ofNode(
                        node.name(),
                        "dead-man",
                        ConditionKind.DEAD_MAN,
                        Severity.WARNING,
                        "the dead-man ping does not arrive: " + fact,
                        "try its address from this machine (curl), and look at dead-man in nightshift.yaml"));
    }

    private static Condition ofNode(
            String node, String word, ConditionKind kind, Severity severity, String detail, String remedy) {
        return new Condition(
                Conditions.keyOfNode(node, word),
                kind,
                null,
                null,
                null,
                severity,
                "Nightshift node " + node,
                detail,
                remedy);
    }

    private static String minutes(Duration duration) {
        return Durations.print(duration.truncatedTo(ChronoUnit.MINUTES));
    }

    private static String print(Duration duration) {
        return Durations.print(duration.abs().truncatedTo(ChronoUnit.SECONDS));
    }
}
