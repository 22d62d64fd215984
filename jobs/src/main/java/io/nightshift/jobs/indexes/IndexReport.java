package io.nightshift.jobs.indexes;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.index.IndexAdvice;
import io.nightshift.infra.index.IndexAdvice.Kind;
import io.nightshift.infra.index.IndexReview;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What an operator reads of the indexes in the morning. */
final class IndexReport {

    /** More statements than these are told in their section alone. */
    private static final int FEW = 3;

    /** Whose indexes go. */
    private static final Set<Kind> SPACE = EnumSet.of(Kind.UNUSED, Kind.REDUNDANT, Kind.LEFT_OVER);

    private static final String STATEMENTS = "statements";

    /** What later steps add to. */
    static final String SUMMARY = "index summary";

    /** What indexes are advised for foreign keys, one a line: queries may lack the same. */
    static final String FOREIGN_KEYS = "indexes for foreign keys";

    private static final Set<Kind> BY_DEFINITION = EnumSet.complementOf(EnumSet.of(Kind.MISSING));

    private final List<IndexReview> reviews = new ArrayList<>();

    void add(IndexReview review) {
        reviews.add(review);
    }

    void write(RunContext run, int databases) {
        List<IndexAdvice> advice =
                reviews.stream().flatMap(review -> review.advice().stream()).toList();
        advice.stream().map(IndexReport::finding).forEach(run::report);
        for (Kind kind : BY_DEFINITION) {
            run.measured(new Figure(figure(kind), count(advice, kind), ""));
        }
        run.measured(new Figure("space to be won", bytes(advice), "bytes"));
        if (!advice.isEmpty()) {
            run.section(table(advice));
            run.section(Section.text(STATEMENTS, script(advice)));
        }
        kept(run);
        unjudged(run);
        String summary = summary(advice, databases);
        run.summary(summary);
        run.remember(SUMMARY, summary);
        run.remember(
                FOREIGN_KEYS,
                advice.stream()
                        .filter(one -> one.kind() == Kind.FOREIGN_KEY)
                        .map(IndexReport::subject)
                        .collect(Collectors.joining("\n")));
    }

    private String summary(List<IndexAdvice> advice, int databases) {
        int passedOver = reviews.stream().mapToInt(IndexReview::passedOver).sum();
        String found = count(advice, Kind.UNUSED) + " unused, " + count(advice, Kind.REDUNDANT) + " redundant, "
                + (count(advice, Kind.INVALID) + count(advice, Kind.LEFT_OVER)) + " broken, "
                + count(advice, Kind.BLOATED) + " bloated, "
                + count(advice, Kind.FOREIGN_KEY) + " missing under foreign keys";
        return found + " in " + reviews.size() + " of " + databases + (databases == 1 ? " database" : " databases")
                + (passedOver == 0 ? "" : "; " + passedOver + " more in tables below smallest-table");
    }

    private static String figure(Kind kind) {
        return switch (kind) {
            case UNUSED -> "unused indexes";
            case REDUNDANT -> "redundant indexes";
            case LEFT_OVER -> "left-over indexes";
            case INVALID -> "invalid indexes";
            case BLOATED -> "bloated indexes";
            case WRITE_HEAVY -> "write-heavy indexes";
            case HOT_BREAKING -> "tables whose updates write all indexes";
            case BRIN -> "indexes that a far smaller one (BRIN) may replace";
            case FOREIGN_KEY -> "foreign keys without index";
            case MISSING -> "missing indexes";
        };
    }

    private static long count(List<IndexAdvice> advice, Kind kind) {
        return advice.stream().filter(one -> one.kind() == kind).count();
    }

    private static long bytes(List<IndexAdvice> advice) {
        return advice.stream()
                .filter(one -> SPACE.contains(one.kind()))
                .mapToLong(IndexAdvice::bytes)
                .sum();
    }

    /** A database and what of it. */
    static String subject(IndexAdvice advice) {
        return advice.database() + "." + advice.object();
    }

    static Finding finding(IndexAdvice advice) {
        return new Finding(advice.key(), advice.severity(), subject(advice), advice.reason(), remedy(advice));
    }

    private static @Nullable String remedy(IndexAdvice advice) {
        List<String> todo = advice.statements().todo();
        if (advice.notNow() != null) {
            return "not now: " + advice.notNow();
        }
        return switch (todo.size()) {
            case 0 -> null;
            case 1, 2, FEW -> String.join("; ", todo);
            default -> todo.get(0) + "; and " + (todo.size() - 1) + " more, in section " + STATEMENTS;
        };
    }

    private static Section table(List<IndexAdvice> advice) {
        return Section.table(
                "index advice",
                List.of("what", "of", "size", "write cost", "confidence", "risk"),
                advice.stream()
                        .map(one -> List.of(
                                one.kind().toString(),
                                subject(one),
                                new DataSize(one.bytes()).rounded(),
                                one.writeCost(),
                                one.confidence().toString(),
                                one.risk().toString()))
                        .toList());
    }

    /** For {@code psql}: what is done, and what takes it back as comments. */
    static String script(List<IndexAdvice> advice) {
        List<String> lines = new ArrayList<>();
        lines.add("\\set ON_ERROR_STOP on");
        for (IndexAdvice one : advice) {
            lines.add(comment(
                    one.kind() + " " + subject(one) + (one.notNow() == null ? "" : ", not now: " + one.notNow())));
            one.statements()
                    .todo()
                    .forEach(statement -> lines.add(one.notNow() == null ? statement + ";" : comment(statement + ";")));
            one.statements().undo().forEach(statement -> lines.add(comment("undo: " + statement + ";")));
        }
        return String.join("\n", lines);
    }

    /** Names and comments may have lines of their own, which must not become statements. */
    private static String comment(String text) {
        return text.lines().collect(Collectors.joining("\n-- ", "-- ", ""));
    }

    /** It is no gap: nights are missing that nobody can make up for. */
    private void unjudged(RunContext run) {
        List<IndexReview.Unjudged> unjudged =
                reviews.stream().flatMap(review -> review.unjudged().stream()).toList();
        unjudged.forEach(one -> run.leftAlone(one.keys()));
        if (!unjudged.isEmpty()) {
            run.section(Section.table(
                    "not judged yet",
                    List.of("whether unused", "why"),
                    unjudged.stream().map(one -> List.of(one.of(), one.why())).toList()));
        }
    }

    private void kept(RunContext run) {
        List<List<String>> rows = reviews.stream()
                .flatMap(review -> review.kept().stream())
                .map(kept -> List.of(kept.database() + "." + kept.index(), kept.because(), kept.why()))
                .toList();
        if (!rows.isEmpty()) {
            run.section(Section.table("would go, but stay", List.of("index", "it", "but it"), rows));
        }
        List<String> inWork = reviews.stream()
                .flatMap(review -> review.inWork().stream())
                .map(Object::toString)
                .toList();
        if (!inWork.isEmpty()) {
            run.section(Section.text("being built", String.join("\n", inWork)));
        }
    }
}
