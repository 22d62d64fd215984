package io.nightshift.scheduler.report;

import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.NightReport.Deadline;
import io.nightshift.scheduler.report.NightReport.RunLine;
import io.nightshift.scheduler.report.NightReport.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Drawings as inline SVG. Each has a title in words; what it shows stands in a table as well. */
final class Charts {

    private static final int WIDTH = 1120;
    private static final int NAMES = 210;
    private static final int ROW = 22;
    private static final int TOP = 20;
    private static final int HOURS = 24;

    private Charts() {}

    /** The runs of a night on one scale of time, a line for each job; deadlines are dashed. */
    static String night(NightReport report) {
        Map<String, List<RunLine>> byJob = report.course().stream()
                .collect(Collectors.groupingBy(
                        run -> run.job() + " · " + run.cluster(), LinkedHashMap::new, Collectors.toList()));
        int height = TOP + byJob.size() * ROW + 6;
        StringBuilder svg = open(WIDTH, height, "Course of the night: when each run was at work");
        DateTimeFormatter hour =
                DateTimeFormatter.ofPattern("HH:mm", Locale.ROOT).withZone(report.zone());
        for (int h = 0; h <= HOURS; h += 3) {
            Instant at = report.from()
                    .plus(Duration.between(report.from(), report.to())
                            .multipliedBy(h)
                            .dividedBy(HOURS));
            double x = x(report, at);
            line(svg, "axis", x, TOP - 4, x, height);
            text(svg, "", h == HOURS ? x - 34 : x + 3, TOP - 8, hour.format(at));
        }
        int y = TOP;
        for (Map.Entry<String, List<RunLine>> job : byJob.entrySet()) {
            text(svg, "name", 0, y + 15, shortened(job.getKey()));
            for (RunLine run : job.getValue()) {
                run(svg, report, run, y);
            }
            for (Deadline deadline : report.deadlines()) {
                if (job.getKey().equals(deadline.job() + " · " + deadline.cluster())) {
                    double x = x(report, deadline.deadline());
                    line(svg, "limit", x, y, x, y + ROW - 2);
                }
            }
            y += ROW;
        }
        return svg.append("</svg>").toString();
    }

    private static void run(StringBuilder svg, NightReport report, RunLine run, int y) {
        String colour = "f-" + colour(run.state());
        Instant start = run.startedAt();
        String title = "run " + run.run() + ", " + run.state()
                + (run.seconds() > 0 ? ", " + Amounts.seconds(run.seconds()) : "");
        if (start == null) {
            double x = x(report, Objects.requireNonNullElse(run.due(), report.from()));
            svg.append(String.format(
                    Locale.ROOT,
                    "<path class=\"%s\" d=\"M%.1f %d l5 6 l-5 6 l-5 -6 z\"><title>%s</title></path>",
                    colour,
                    x,
                    y + 5,
                    Page.escaped(title)));
            return;
        }
        double x = x(report, start);
        double end = x(report, start.plusMillis((long) (run.seconds() * 1000)));
        svg.append(String.format(
                Locale.ROOT,
                "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"12\" rx=\"2\"><title>%s</title></rect>",
                colour,
                x,
                y + 5,
                Math.max(3, end - x),
                Page.escaped(title)));
    }

    private static double x(NightReport report, Instant at) {
        double part = (double) Duration.between(report.from(), at).toSeconds()
                / Duration.between(report.from(), report.to()).toSeconds();
        return NAMES + (WIDTH - NAMES) * Math.max(0, Math.min(1, part));
    }

    /** A small line over the nights; a gap is a night without a completed run. */
    static String sparkline(List<@Nullable Double> course, String title) {
        int width = 110;
        int height = 24;
        double most = course.stream()
                .filter(Objects::nonNull)
                .mapToDouble(d -> d)
                .max()
                .orElse(0);
        StringBuilder svg = open(width, height, title);
        StringBuilder path = new StringBuilder();
        boolean drawing = false;
        double lastX = 0;
        double lastY = 0;
        for (int i = 0; i < course.size(); i++) {
            Double value = course.get(i);
            if (value != null) {
                lastX = 3 + i * (width - 6.0) / Math.max(1, course.size() - 1);
                lastY = height - 3 - (most == 0 ? 0 : value / most * (height - 6));
                path.append(String.format(Locale.ROOT, "%s%.1f %.1f ", drawing ? "L" : "M", lastX, lastY));
            }
            drawing = value != null;
        }
        if (path.length() > 0) {
            svg.append("<path class=\"course\" d=\"").append(path).append("\"/>");
            svg.append(String.format(
                    Locale.ROOT, "<circle class=\"f-unknown\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\"/>", lastX, lastY));
        }
        return svg.append("</svg>").toString();
    }

    /** Bars side by side, each with its label below and its value above. */
    static String bars(List<String> labels, List<Double> values, List<String> words, String title) {
        int height = 120;
        double most = values.stream().mapToDouble(d -> d).max().orElse(0);
        double step = (double) WIDTH / Math.max(1, labels.size());
        StringBuilder svg = open(WIDTH, height, title);
        for (int i = 0; i < labels.size(); i++) {
            double tall = most == 0 ? 0 : values.get(i) / most * (height - 40);
            double x = i * step + step / 2;
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                    x - Math.min(40, step * 0.6) / 2,
                    height - 18 - tall,
                    Math.min(40, step * 0.6),
                    tall));
            centred(svg, x, height - 4, labels.get(i));
            if (values.get(i) > 0) {
                centred(svg, x, height - 22 - tall, words.get(i));
            }
        }
        return svg.append("</svg>").toString();
    }

    static String colour(RunState state) {
        return switch (state) {
            case COMPLETED -> word(Verdict.GOOD);
            case FAILED, MISSED, STOPPED -> word(Verdict.BAD);
            case REFUSED, QUEUED, RUNNING -> word(Verdict.ATTENTION);
            case SKIPPED -> word(Verdict.UNKNOWN);
        };
    }

    static String word(Verdict verdict) {
        return verdict.name().toLowerCase(Locale.ROOT);
    }

    private static StringBuilder open(int width, int height, String title) {
        return new StringBuilder(String.format(
                Locale.ROOT,
                "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\"><title>%s</title>",
                width,
                height,
                width,
                height,
                Page.escaped(title)));
    }

    private static void line(StringBuilder svg, String styleClass, double x1, double y1, double x2, double y2) {
        svg.append(String.format(
                Locale.ROOT,
                "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                styleClass,
                x1,
                y1,
                x2,
                y2));
    }

    private static void text(StringBuilder svg, String styleClass, double x, double y, String text) {
        svg.append(String.format(
                Locale.ROOT,
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>",
                styleClass,
                x,
                y,
                Page.escaped(text)));
    }

    private static void centred(StringBuilder svg, double x, double y, String text) {
        svg.append(String.format(
                Locale.ROOT, "<text text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>", x, y, Page.escaped(text)));
    }

    private static String shortened(String text) {
        return text.length() <= 32 ? text : text.substring(0, 31) + "…";
    }
}
