package io.nightshift.scheduler.cli;

import io.nightshift.infra.run.Progress;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * Shows how far a run is: a bar with rate and time left on a terminal, a plain line now and then elsewhere, nothing where
 * the output is for programs.
 */
final class ProgressPrinter {

    private static final int WIDTH = 24;
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(5);

    private final PrintWriter err;
    private final boolean terminal;
    private final boolean silent;
    private Progress.Snapshot begun = Progress.Snapshot.NONE;
    private long begunAt;
    private long printedAt;
    private boolean barShown;
    private boolean noted;

    static ProgressPrinter of(NightshiftCommand top) {
        return new ProgressPrinter(top.err(), top.isTerminal(), top.isJson());
    }

    private ProgressPrinter(PrintWriter err, boolean terminal, boolean silent) {
        this.err = err;
        this.terminal = terminal;
        this.silent = silent;
    }

    void show(Progress.Snapshot now) {
        if (silent || now.step().isEmpty()) {
            return;
        }
        long time = System.nanoTime();
        if (!now.step().equals(begun.step())) {
            begun = now;
            begunAt = time;
            printedAt = time;
            if (!terminal) {
                err.println("  " + now.step());
            }
        }
        boolean news = noted != (now.note() != null);
        noted = now.note() != null;
        if (terminal) {
            // A line that is wider than the terminal could not be taken back: what is to be known has one of its own.
            err.print("\r\033[K" + (news && noted ? "  " + now.note() + "\n" : "") + "  " + line(now, time));
            err.flush();
            barShown = true;
        } else if (news || time - printedAt >= BETWEEN_LINES.toNanos()) {
            printedAt = time;
            err.println("  " + line(now, time) + (now.note() == null ? "" : "  " + now.note()));
        }
    }

    /** Removes the bar, so that what follows begins on a clean line. */
    void end() {
        if (barShown) {
            err.print("\r\033[K");
            err.flush();
            barShown = false;
        }
    }

    private String line(Progress.Snapshot now, long time) {
        double seconds = (time - begunAt) / 1e9;
        double rate = seconds > 0.5 ? (now.done() - begun.done()) / seconds : 0;
        StringBuilder line = new StringBuilder(now.step());
        Long total = now.total();
        if (total != null && total > 0) {
            double part = Math.min(1, (double) now.done() / total);
            if (now.rows() == null) {
                int full = (int) (part * WIDTH);
                line.append("  [")
                        .append("#".repeat(full))
                        .append(".".repeat(WIDTH - full))
                        .append(']');
            }
            line.append(String.format(Locale.ROOT, " %3.0f %%", part * 100));
        }
        line.append("  ").append(amount(now.done(), now.unit()));
        if (total != null) {
            line.append(" of ").append(amount(total, now.unit()));
        }
        Progress.Rows rows = now.rows();
        if (rows != null && rows.total() > 0) {
            line.append("  ")
                    .append(count(rows.done()))
                    .append(" of ~")
                    .append(count(rows.total()))
                    .append(" rows");
        }
        if (rate > 0) {
            line.append("  ").append(amount((long) rate, now.unit())).append("/s");
            if (total != null && total > now.done()) {
                line.append("  ")
                        .append(RunText.duration(Duration.ofSeconds((long) ((total - now.done()) / rate))))
                        .append(" left");
            }
        }
        return line.toString();
    }

    /** Short, so that all of it has room in one line. */
    private static String count(long rows) {
        return rows < 1_000_000
                ? String.format(Locale.ROOT, "%,d", rows)
                : String.format(Locale.ROOT, "%,.1fM", rows / 1e6);
    }

    private static String amount(long amount, String unit) {
        return unit.equals("bytes") ? Arguments.bytes(amount) : String.format(Locale.ROOT, "%,d %s", amount, unit);
    }
}
