package io.nightshift.infra.config;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads the files of storages/, one after another. */
final class StorageReader {

    private static final List<String> TYPES = List.of(DirectoryStorageConfig.TYPE);

    private final Problems problems;
    private final Map<String, Path> directories = new LinkedHashMap<>();

    StorageReader(Problems problems) {
        this.problems = problems;
    }

    Optional<StorageConfig> read(Document document, Value.Mapping content) {
        int before = problems.count();
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
        Optional<StorageConfig> storage = switch (text.text()) {
            case DirectoryStorageConfig.TYPE -> directory(document, content);
            case "s3" -> refuse(text, "s3 is not yet supported by this version; accepted: " + String.join(", ", TYPES));
            default -> refuse(text, text.shown() + " is not accepted" + Nearest.accepted(text.text(), TYPES));
        };
        return problems.count() > before ? Optional.empty() : storage;
    }

    private Optional<StorageConfig> directory(Document document, Value.Mapping content) {
        Optional<DirectoryStorageConfig> storage = new RecordBinder(problems)
                .bind(DirectoryStorageConfig.class, content.without("type"), "", Map.of("name", document.name()));
        Path path = content.get("path") instanceof Value.Text text ? absolute(text.text()) : null;
        if (path != null) {
            checkDirectory(path, content);
            checkApart(path, content);
            directories.put(document.name(), path);
        }
        return storage.map(directory -> directory);
    }

    /** Null for what the record refuses. */
    private static @Nullable Path absolute(String text) {
        try {
            Path path = Path.of(text).normalize();
            return path.isAbsolute() ? path : null;
        } catch (InvalidPathException noPath) {
            return null;
        }
    }

    private void checkDirectory(Path path, Value.Mapping content) {
        Path existing = path;
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        if (existing != null && !Files.isDirectory(existing)) {
            problems.add(
                    content.at("path"),
                    "path",
                    existing + " is a file; accepted: a directory, or one that can be made");
        }
    }

    /** Two storages in one directory would be one: what was kept twice would be lost at once. */
    private void checkApart(Path path, Value.Mapping content) {
        directories.forEach((name, other) -> {
            if (path.startsWith(other) || other.startsWith(path)) {
                problems.add(
                        content.at("path"),
                        "path",
                        "shares its directory with storage " + name + "; each storage has one of its own");
            }
        });
    }

    private Optional<StorageConfig> refuse(Value.Text type, String fact) {
        problems.add(type.at(), "type", fact);
        return Optional.empty();
    }
}
