package io.nightshift.infra.config;

import java.util.List;

/** The keys of a settings record, for {@code config show --job-type}. */
public record SettingsDescription(List<Row> rows) {

    /**
     * One key.
     *
     * @param type in words, such as {@code duration} or {@code fast | spread}
     * @param standard the default; {@code required} or {@code none} when there is none
     * @param description what happens if you change it
     */
    public record Row(String key, String type, String standard, String description) {}

    public static SettingsDescription of(Class<? extends Record> settings) {
        RecordShape<?> shape = RecordShape.of(settings);
        return new SettingsDescription(shape.components().stream()
                .map(component -> row(shape, component))
                .toList());
    }

    private static Row row(RecordShape<?> shape, RecordShape.Component component) {
        Object standard = shape.defaultOf(component);
        String none = component.optional() ? "none" : "required";
        return new Row(
                component.key(),
                Types.words(component.type()),
                standard == null ? none : Values.words(standard),
                component.description());
    }
}
