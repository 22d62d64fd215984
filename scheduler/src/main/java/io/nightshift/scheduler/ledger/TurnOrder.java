package io.nightshift.scheduler.ledger;

import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Turn.Kind;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides which waiting runs may begin: what works holds its exclusive groups and its place among the heavy runs of its
 * cluster, and what waits longer or with a higher priority keeps both from those behind it.
 */
final class TurnOrder {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    /**
     * A run that works or waits.
     *
     * @param notBefore when its next attempt begins at the earliest; null when it need not wait for a time
     * @param byItself whether nobody has asked for it but its schedule
     * @param forAnybody whether any node that serves may work it; otherwise somebody waits for it in a process of its own
     */
    record Contender(
            RunId run,
            String job,
            String type,
            String cluster,
            RunTerms terms,
            boolean works,
            @Nullable Instant due,
            boolean byItself,
            int attempts,
            @Nullable Instant notBefore,
            boolean forAnybody,
            boolean dryRun) {

        private String named() {
            return "run " + run + " (" + job + " on " + cluster + ")";
        }
    }

    private final TurnRules rules;
    private final Map<String, List<Contender>> groups = new HashMap<>();
    private final Map<String, List<Contender>> heavy = new HashMap<>();

    private TurnOrder(TurnRules rules) {
        this.rules = rules;
    }

    /**
     * The turn of each waiting run, in their order.
     *
     * @param contenders the waiting ones in the order in which they would begin
     */
    static List<Turn> of(List<Contender> contenders, TurnRules rules, Instant now) {
        TurnOrder order = new TurnOrder(rules);
        contenders.stream().filter(Contender::works).forEach(order::hold);
        List<Turn> turns = new ArrayList<>();
        for (Contender waiting : contenders) {
            if (!waiting.works()) {
                turns.add(order.turn(waiting, now));
            }
        }
        return turns;
    }

    private Turn turn(Contender waiting, Instant now) {
        if (waiting.notBefore() != null) {
            String at = TIME.format(waiting.notBefore());
            return turn(
                    waiting,
                    Kind.WAITS,
                    waiting.attempts() == 0
                            ? "begins in the window of its job, at " + at
                            : "attempt " + (waiting.attempts() + 1) + " begins at " + at);
        }
        Optional<String> tooLate = waiting.due() == null || !waiting.byItself()
                ? Optional.empty()
                : rules.tooLate(waiting.job(), waiting.cluster(), waiting.due(), now, waiting.attempts() > 0);
        if (tooLate.isPresent()) {
            return turn(waiting, Kind.TOO_LATE, tooLate.get());
        }
        Optional<String> obstacle = obstacle(waiting);
        hold(waiting);
        return turn(waiting, obstacle.isPresent() ? Kind.WAITS : Kind.BEGINS, obstacle.orElse(""));
    }

    private static Turn turn(Contender waiting, Kind kind, String reason) {
        return new Turn(
                waiting.run(),
                kind,
                reason,
                waiting.forAnybody(),
                waiting.terms().continuous());
    }

    private Optional<String> obstacle(Contender waiting) {
        for (String group : groupsOf(waiting)) {
            List<Contender> holders = inTheWay(groups.get(group), waiting);
            if (!holders.isEmpty()) {
                return Optional.of("exclusive group " + group + ": " + said(holders.get(0)));
            }
        }
        List<Contender> heavyOnes = inTheWay(heavy.get(waiting.cluster()), waiting);
        int most = rules.heavyRuns(waiting.cluster());
        return isHeavy(waiting) && heavyOnes.size() >= most
                ? Optional.of("cluster " + waiting.cluster() + " takes " + most + " heavy "
                        + (most == 1 ? "run" : "runs") + " at a time: " + said(heavyOnes.get(0)))
                : Optional.empty();
    }

    /** A process that works its own run must not wait for what nobody may be there to begin. */
    private static List<Contender> inTheWay(@Nullable List<Contender> holders, Contender waiting) {
        return holders == null
                ? List.of()
                : holders.stream()
                        .filter(holder -> waiting.forAnybody() || holder.works() || !holder.forAnybody())
                        .toList();
    }

    private static String said(Contender holder) {
        return holder.named() + (holder.works() ? " works" : " comes first");
    }

    private void hold(Contender contender) {
        groupsOf(contender).forEach(group -> add(groups, group, contender));
        if (isHeavy(contender)) {
            add(heavy, contender.cluster(), contender);
        }
    }

    private static void add(Map<String, List<Contender>> held, String what, Contender contender) {
        held.computeIfAbsent(what, none -> new ArrayList<>()).add(contender);
    }

    /** A dry run does nothing that could be in anybody's way. */
    private static List<String> groupsOf(Contender contender) {
        return contender.dryRun() ? List.of() : contender.terms().exclusive();
    }

    /** What never ends must not keep the nights' work from its cluster. */
    private boolean isHeavy(Contender contender) {
        return !contender.dryRun() && !contender.terms().continuous() && rules.isHeavy(contender.type());
    }
}
