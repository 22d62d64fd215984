package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the chunks of a run have shown, target by target. */
final class IntegrityReport {

    private record Verdict(Target target, Outcome outcome, boolean reached, long bytes) {

        Verdict with(Verdict next) {
            return new Verdict(target, outcome.with(next.outcome), reached && next.reached, bytes + next.bytes);
        }

        Verdict as(Outcome other) {
            return new Verdict(target, other, reached, bytes);
        }

        boolean isHit() {
            return outcome.count() > 0;
        }

        boolean isJudged() {
            return reached && outcome.gap() == null;
        }
    }

    static final String NODE = Target.KEY + "node/";

    /** From 1.4 on amcheck sees duplicates too; where its words are translated, they are told twice. */
    private static final String UNIQUENESS = "uniqueness is violated";

    private final List<Verdict> verdicts;

    private IntegrityReport(List<Verdict> verdicts) {
        this.verdicts = verdicts;
    }

    static IntegrityReport of(List<Chunk> chunks) {
        Map<String, Verdict> byKey = new LinkedHashMap<>();
        for (Chunk chunk : chunks) {
            Piece piece = Piece.parse(chunk.work());
            String outcome = chunk.outcome();
            byKey.merge(
                    piece.target().key(),
                    new Verdict(
                            piece.target(),
                            outcome == null ? Outcome.PASS : Outcome.parse(outcome),
                            outcome != null,
                            piece.bytes()),
                    Verdict::with);
        }
        return new IntegrityReport(onceEach(List.copyOf(byKey.values())));
    }

    /**
     * Damage is told once, not by everything that stumbles over it as well: an index over its table, and whatever reads rows
     * over tables and indexes, those of parents among them.
     */
    private static List<Verdict> onceEach(List<Verdict> verdicts) {
        Set<String> tables = new HashSet<>();
        Set<String> databases = new HashSet<>();
        Set<String> duplicates = new HashSet<>();
        for (Verdict verdict : verdicts) {
            Target target = verdict.target();
            if (verdict.isHit() && target.check().looksForDamage()) {
                databases.add(target.database());
                if (target.check() == Check.HEAP || target.object().equals(target.table())) {
                    tables.add(table(target));
                }
            } else if (verdict.isHit() && target.check() == Check.UNIQUE) {
                duplicates.add(target.toString());
            }
        }
        return verdicts.stream()
                .map(verdict -> verdict.outcome().failed() ? once(verdict, tables, databases, duplicates) : verdict)
                .toList();
    }

    private static Verdict once(Verdict verdict, Set<String> tables, Set<String> databases, Set<String> duplicates) {
        Target target = verdict.target();
        String message = verdict.outcome().hits().get(0).evidence();
        if (!target.check().looksForDamage() && databases.contains(target.database())) {
            return verdict.as(Outcome.notEvaluated("failed on what is damaged: " + message));
        }
        if (target.check().isOfIndex() && tables.contains(table(target))) {
            return verdict.as(Outcome.notEvaluated("its table is damaged: " + message));
        }
        return target.check() == Check.BTREE && duplicates.contains(target.toString()) && message.contains(UNIQUENESS)
                ? verdict.as(Outcome.notEvaluated("amcheck ends at its duplicates"))
                : verdict;
    }

    private static String table(Target target) {
        return target.database() + "." + target.table();
    }

    List<Target> targets() {
        return verdicts.stream().map(Verdict::target).toList();
    }

    /** The keys of what was looked at whole, and nothing found. */
    List<String> sound() {
        return judged(false);
    }

    /** The keys of what was looked at whole, and something found. */
    List<String> wrong() {
        return judged(true);
    }

    private List<String> judged(boolean wrong) {
        return verdicts.stream()
                .filter(verdict -> verdict.isJudged() && verdict.isHit() == wrong)
                .map(verdict -> verdict.target().key())
                .toList();
    }

    /** How the keys of findings begin that only a node has. */
    static String keysOf(String node) {
        return NODE + node + "/";
    }

    /** The same damage of another node is another finding. */
    static String keyOnNode(String node, Target target) {
        return keysOf(node) + target.key().substring(Target.KEY.length());
    }

    /** Only what is wrong, and what could not be judged: of the pages of one node that was looked at beside the others. */
    void writeOfNode(RunContext run, String node) {
        for (Verdict verdict : verdicts) {
            String gap = verdict.outcome().gap();
            if (verdict.isHit()) {
                run.report(finding(verdict, keyOnNode(node, verdict.target()), "node " + node));
            } else if (verdict.reached() && gap != null) {
                run.notEvaluated(new NotEvaluated(
                        verdict.target() + " on node " + node, gap, List.of(keyOnNode(node, verdict.target()))));
            }
        }
        List<String> notReached = verdicts.stream()
                .filter(verdict -> !verdict.reached())
                .map(verdict -> keyOnNode(node, verdict.target()))
                .toList();
        if (!notReached.isEmpty()) {
            run.notEvaluated(new NotEvaluated(
                    "pages of node " + node + " (" + notReached.size() + " objects)",
                    "not reached within time-limit; they come first next time",
                    notReached));
        }
        run.measured(new Figure(
                "checked on " + node,
                verdicts.stream()
                        .filter(Verdict::isJudged)
                        .mapToLong(Verdict::bytes)
                        .sum(),
                "bytes"));
    }

    /** @param node whose pages they are; null for a copy. Damage is of one server, rows are of all */
    void write(RunContext run, String server, @Nullable String node, Duration timeLimit) {
        verdicts.stream()
                .filter(Verdict::isHit)
                .map(verdict -> finding(verdict, key(verdict.target(), node), server))
                .forEach(run::report);
        gaps(node, timeLimit).forEach(run::notEvaluated);
        long hits = verdicts.stream().filter(Verdict::isHit).count();
        long judged = verdicts.stream().filter(Verdict::isJudged).count();
        long bytes = verdicts.stream()
                .filter(Verdict::isJudged)
                .mapToLong(Verdict::bytes)
                .sum();
        run.measured(new Figure("checked", bytes, "bytes"));
        run.measured(new Figure("objects checked", judged, "objects"));
        run.measured(new Figure("objects with hits", hits, "objects"));
        run.section(coverage());
        run.summary((hits == 0 ? "nothing wrong" : hits + (hits == 1 ? " object" : " objects") + " wrong") + " in "
                + new DataSize(bytes).rounded() + " on " + server + ", " + judged + " of " + verdicts.size()
                + " checks of objects done"
                + run.recall("rules").map(rules -> "; " + rules).orElse(""));
    }

    private static String key(Target target, @Nullable String node) {
        return node != null && target.check().looksForDamage() ? keyOnNode(node, target) : target.key();
    }

    private static Finding finding(Verdict verdict, String key, String server) {
        Target target = verdict.target();
        Outcome outcome = verdict.outcome();
        String hits = outcome.hits().stream().map(Outcome.Hit::toString).collect(Collectors.joining("; "));
        long more = outcome.count() - outcome.hits().size();
        return new Finding(
                key,
                target.trusted() ? target.check().severity() : Severity.WARNING,
                target.toString(),
                (outcome.count() == 1 ? "" : outcome.count() + " found: ") + hits
                        + (more > 0 ? "; and " + more + " more" : "") + " (" + server + ")",
                (target.trusted() ? "" : "the constraint is NOT VALID, so that old rows may break it; ")
                        + target.check().remedy()
                        + (target.check().looksForDamage() ? "; " + bisection(key) : ""));
    }

    /** In words that a shell takes as they are. */
    private static String bisection(String key) {
        String quoted = key.matches("[\\w./-]+") ? key : "'" + key.replace("'", "'\\''") + "'";
        return "nightshift " + BisectDamageJobType.NAME + " " + quoted + " says which backup is clean of it";
    }

    /** One for each table and reason; the keys say all that was not looked for. */
    private List<NotEvaluated> gaps(@Nullable String node, Duration timeLimit) {
        Map<List<String>, List<String>> keys = new LinkedHashMap<>();
        for (Verdict verdict : verdicts) {
            Target target = verdict.target();
            String gap = verdict.outcome().gap();
            if (!verdict.reached()) {
                keys.computeIfAbsent(
                                List.of(
                                        "what was not reached",
                                        "more than is looked at within time-limit " + Durations.print(timeLimit)
                                                + "; it comes first next time"),
                                first -> new ArrayList<>())
                        .add(key(target, node));
            } else if (gap != null) {
                keys.computeIfAbsent(
                                List.of(
                                        target.table().isEmpty()
                                                ? "database " + target.database()
                                                : gap.startsWith("temporal") ? target.toString() : table(target),
                                        gap),
                                first -> new ArrayList<>())
                        .add(key(target, node));
            }
        }
        return keys.entrySet().stream()
                .map(gap -> new NotEvaluated(
                        gap.getKey().get(0)
                                + (gap.getValue().size() == 1
                                        ? ""
                                        : " (" + gap.getValue().size() + " checks)"),
                        gap.getKey().get(1),
                        gap.getValue()))
                .toList();
    }

    private Section coverage() {
        List<List<String>> rows = new ArrayList<>();
        for (Check check : Check.values()) {
            List<Verdict> of = verdicts.stream()
                    .filter(verdict -> verdict.target().check() == check)
                    .toList();
            if (!of.isEmpty()) {
                rows.add(List.of(
                        check.toString(),
                        Integer.toString(of.size()),
                        new DataSize(of.stream().mapToLong(Verdict::bytes).sum()).rounded(),
                        Long.toString(of.stream().filter(Verdict::isHit).count()),
                        Long.toString(of.stream()
                                .filter(verdict -> !verdict.isJudged())
                                .count())));
            }
        }
        return Section.table("coverage", List.of("check", "objects", "size", "wrong", "not evaluated"), rows);
    }

    static String bytes(List<Piece> pieces) {
        return new DataSize(pieces.stream().mapToLong(Piece::bytes).sum()).rounded();
    }
}
