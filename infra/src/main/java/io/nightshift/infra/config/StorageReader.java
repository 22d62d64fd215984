package io.nightshift.infra.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads one file of storages/. */
final class StorageReader {

    private static final List<String> TYPES = List.of(DirectoryStorageConfig.TYPE);

    private final Problems problems;

    StorageReader(Problems problems) {
        this.problems = problems;
    }

    Optional<StorageConfig> read(Document document, Value.Mapping content) {
        Value type = content.get("type");
        if (type == null) {
            problems.add(content.at(), "type", "missing; accepted: " + String.join(", ", TYPES));
            return Optional.empty();
        }
        if (!(type instanceof Value.Text text)) {
            if (!(type instanceof Value.Known)) {
                problems.add(
                        type.at(), "type", type.words() + " is not accepted; accepted: " + String.join(", ", TYPES));
            }
            return Optional.empty();
        }
        return switch (text.text()) {
            case DirectoryStorageConfig.TYPE ->
                new RecordBinder(problems)
                        .bind(
                                DirectoryStorageConfig.class,
                                content.without("type"),
                                "",
                                Map.of("name", document.name()))
                        .map(directory -> directory);
            case "s3" -> refuse(text, "s3 is not yet supported by this version; accepted: " + String.join(", ", TYPES));
            default ->
                refuse(
                        text,
                        text.shown() + " is not accepted; accepted: " + String.join(", ", TYPES)
                                + Nearest.question(text.text(), TYPES));
        };
    }

    /** Two storages in one directory would be one: what was kept twice would be lost at once. */
    void checkApart(Document document, StorageConfig storage, Iterable<StorageConfig> earlier) {
        for (StorageConfig other : earlier) {
            if (storage instanceof DirectoryStorageConfig directory
                    && other instanceof DirectoryStorageConfig otherDirectory
                    && directory.overlaps(otherDirectory)
                    && document.content() != null) {
                problems.add(
                        document.content().at("path"),
                        "path",
                        "shares its directory with storage " + other.name() + "; each storage has one of its own");
            }
        }
    }

    private Optional<StorageConfig> refuse(Value.Text type, String fact) {
        problems.add(type.at(), "type", fact);
        return Optional.empty();
    }
}
