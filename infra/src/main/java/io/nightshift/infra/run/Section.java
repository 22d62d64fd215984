package io.nightshift.infra.run;

import java.util.List;

/**
 * A titled part of a report. Every reader of reports shows these three kinds and needs to know no job type.
 */
public sealed interface Section {

    String title();

    /** Plain text, lines separated by newlines. */
    record Text(String title, String data) implements Section {}

    /** Rows of equal length under a header. */
    record Table(String title, List<String> columns, List<List<String>> rows) implements Section {}

    /** Points over something that grows, such as time. */
    record Series(String title, String unit, List<Point> points) implements Section {}

    /** One point of a series. */
    record Point(String at, double value) {}
}
