package io.nightshift.infra.config;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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
                .flatMap(component -> rows("", component, shape.defaultOf(component)))
                .toList());
    }

    /** A map that has defaults is no setting but its keys are, written with a dot as {@code --set} wants them. */
    private static Stream<Row> rows(String prefix, RecordShape.Component component, @Nullable Object standard) {
        String key = prefix + component.key();
        if (standard instanceof Record inner
                && inner.getClass() == component.type()
                && !Scalars.isScalar(inner.getClass())) {
            return RecordShape.of(inner.getClass()).components().stream()
                    .flatMap(nested -> rows(key + ".", nested, nested.of(inner)));
        }
        String none = component.optional() ? "none" : "required";
        return Stream.of(new Row(
                key,
                Types.words(component.type()),
                standard == null ? none : Values.words(standard),
                component.description()));
    }
}
