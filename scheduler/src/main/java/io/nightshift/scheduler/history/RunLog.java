package io.nightshift.scheduler.history;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;

/**
 * The log of a run, bounded: where there is too much, the newest lines are kept.
 *
 * @param lines how many are kept
 * @param dropped how many older ones are not
 * @param text each line ends in a newline
 */
public record RunLog(int lines, int dropped, String text) {

    static final int MOST_LINES = 5_000;
    static final int MOST_CHARACTERS = 256 << 10;

    static final RunLog EMPTY = new RunLog(0, 0, "");

    /** This log with more at its end. */
    RunLog plus(Collection<String> more, int droppedBefore) {
        Deque<String> kept = new ArrayDeque<>();
        int characters = 0;
        int dropped = this.dropped + droppedBefore;
        for (Collection<String> part : List.of(text.lines().toList(), more)) {
            for (String line : part) {
                kept.addLast(line);
                characters += line.length() + 1;
            }
        }
        while (kept.size() > MOST_LINES || characters > MOST_CHARACTERS) {
            characters -= kept.removeFirst().length() + 1;
            dropped++;
        }
        return new RunLog(kept.size(), dropped, kept.isEmpty() ? "" : String.join("\n", kept) + "\n");
    }
}
