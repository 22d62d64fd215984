package io.nightshift.infra.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;

/**
 * A titled part of a report. Every reader of reports shows the three kinds of data and needs to know no job type. In JSON
 * {@code {"title", "kind": "text|table|series", "data"}}.
 */
public record Section(
        String title,

        @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, include = JsonTypeInfo.As.EXTERNAL_PROPERTY, property = "kind")
        @JsonSubTypes({
            @JsonSubTypes.Type(value = Text.class, name = "text"),
            @JsonSubTypes.Type(value = Table.class, name = "table"),
            @JsonSubTypes.Type(value = Series.class, name = "series")
        })
        Data data) {

    public static Section text(String title, String text) {
        return new Section(title, new Text(text));
    }

    public static Section table(String title, List<String> columns, List<List<String>> rows) {
        return new Section(title, new Table(columns, rows));
    }

    /** What a section shows. */
    public sealed interface Data {}

    /** Plain text, lines separated by newlines. */
    public record Text(@JsonValue String lines) implements Data {

        @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
        public Text {}
    }

    /** Rows of equal length under a header. */
    public record Table(List<String> columns, List<List<String>> rows) implements Data {}

    /** Points over something that grows, such as time. */
    public record Series(String unit, List<Point> points) implements Data {}

    /** One point of a series. */
    public record Point(String at, double value) {}
}
