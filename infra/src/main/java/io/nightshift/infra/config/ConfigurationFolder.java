package io.nightshift.infra.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the files of a configuration directory. Hidden files and {@code *.md} are left alone; anything else that is not
 * understood is a problem, so that a misnamed file is never silently without effect.
 */
final class ConfigurationFolder {

    static final String PROGRAM = "nightshift";
    static final String CLUSTERS = "clusters";
    static final String STORAGES = "storages";
    static final String CALENDARS = "calendars";
    static final String JOBS = "jobs";
    static final String RULES = "rules";

    private static final List<String> KINDS = List.of(CLUSTERS, STORAGES, CALENDARS, JOBS, RULES);
    private static final String PROFILES = "profiles";
    private static final String EXTENSION = ".yaml";
    private static final long LARGEST = 1 << 20;

    private final Path root;
    private final Problems problems;
    private final Map<String, Map<String, Document>> documents = new TreeMap<>();

    private ConfigurationFolder(Path root, Problems problems) {
        this.root = root;
        this.problems = problems;
    }

    static ConfigurationFolder read(Path root, @Nullable String profile, Problems problems) {
        var folder = new ConfigurationFolder(root, problems);
        if (!Files.isDirectory(root)) {
            problems.add(new Origin(root.toString(), 0), "", "configuration directory not found");
            return folder;
        }
        folder.readLayer("", List.of(PROFILES));
        if (profile != null) {
            folder.readProfile(profile);
        }
        return folder;
    }

    /** The documents of a kind by name, also those that could not be read. */
    Map<String, Document> documents(String kind) {
        return documents.getOrDefault(kind, Map.of());
    }

    Optional<Document> program() {
        return Optional.ofNullable(documents("").get(PROGRAM));
    }

    private void readProfile(String profile) {
        List<String> known = list(PROFILES).stream()
                .filter(name -> Files.isDirectory(root.resolve(PROFILES).resolve(name)))
                .toList();
        if (known.contains(profile)) {
            readLayer(PROFILES + "/" + profile + "/", List.of());
        } else {
            problems.add(
                    new Origin(PROFILES, 0),
                    "",
                    "profile \"" + profile + "\" is not among them; accepted: "
                            + (known.isEmpty() ? "none, there is no profile" : String.join(", ", known))
                            + Nearest.question(profile, known));
        }
    }

    /** One tree: the directory itself, or a profile that mirrors it. */
    private void readLayer(String layer, List<String> otherFolders) {
        for (String name : list(layer)) {
            String file = layer + name;
            boolean isFolder = Files.isDirectory(root.resolve(file));
            if (isFolder && KINDS.contains(name)) {
                readKind(layer, name);
            } else if (isFolder && !otherFolders.contains(name)) {
                List<String> accepted =
                        Stream.concat(KINDS.stream(), otherFolders.stream()).toList();
                problems.add(
                        new Origin(file, 0),
                        "",
                        "unknown folder; accepted: " + String.join(", ", accepted) + Nearest.question(name, accepted));
            } else if (!isFolder && name.equals(PROGRAM + EXTENSION)) {
                add("", PROGRAM, file);
            } else if (!isFolder) {
                problems.add(
                        new Origin(file, 0),
                        "",
                        "unknown file; accepted here: " + PROGRAM + EXTENSION
                                + Nearest.question(name, List.of(PROGRAM + EXTENSION)));
            }
        }
    }

    private void readKind(String layer, String kind) {
        Map<String, String> byLowerCase = new HashMap<>();
        for (String fileName : list(layer + kind)) {
            String file = layer + kind + "/" + fileName;
            if (!fileName.endsWith(EXTENSION)) {
                problems.add(new Origin(file, 0), "", wrongExtension(fileName));
                continue;
            }
            String name = fileName.substring(0, fileName.length() - EXTENSION.length());
            String twin = byLowerCase.putIfAbsent(name.toLowerCase(Locale.ROOT), fileName);
            if (twin != null) {
                problems.add(new Origin(file, 0), "", "differs only in case from " + twin);
            }
            if (Names.isName(name)) {
                add(kind, name, file);
            } else {
                problems.add(new Origin(file, 0), "", "name \"" + name + "\" is not accepted; " + Names.ACCEPTED);
            }
        }
    }

    private static String wrongExtension(String fileName) {
        return fileName.toLowerCase(Locale.ROOT).endsWith(".yml")
                ? "rename it to " + fileName.substring(0, fileName.length() - 4) + EXTENSION
                : "unknown kind of file; accepted: files that end in " + EXTENSION;
    }

    private void add(String kind, String name, String file) {
        Value.Mapping content = text(file)
                .flatMap(text -> YamlReader.document(file, text, problems))
                .orElse(null);
        documents
                .computeIfAbsent(kind, any -> new TreeMap<>())
                .merge(name, new Document(kind, name, content, List.of(file)), ConfigurationFolder::laidOver);
    }

    private static Document laidOver(Document below, Document above) {
        List<String> sources = new ArrayList<>(below.sources());
        sources.addAll(above.sources());
        Value.Mapping lower = below.content();
        Value.Mapping upper = above.content();
        Value.Mapping content = lower == null || upper == null ? null : lower.overlaidBy(upper);
        return new Document(below.folder(), below.name(), content, sources);
    }

    private Optional<String> text(String file) {
        Path path = root.resolve(file);
        var at = new Origin(file, 0);
        try {
            if (!Files.exists(path)) {
                problems.add(at, "", "cannot be read: no such file");
            } else if (!Files.isRegularFile(path)) {
                problems.add(at, "", "is not a file");
            } else if (Files.size(path) > LARGEST) {
                problems.add(at, "", "is larger than 1MB");
            } else {
                String text = Files.readString(path);
                return Optional.of(text.startsWith("\uFEFF") ? text.substring(1) : text);
            }
        } catch (CharacterCodingException notText) {
            problems.add(at, "", "is not UTF-8 text");
        } catch (IOException unreadable) {
            problems.add(at, "", "cannot be read: " + Failures.words(unreadable));
        }
        return Optional.empty();
    }

    /** The names in a folder in order, without what is left alone; none when the folder is absent. */
    private List<String> list(String folder) {
        Path path = root.resolve(folder);
        if (!Files.isDirectory(path)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(path)) {
            return children.map(child -> child.getFileName().toString())
                    .filter(name -> !name.startsWith(".") && !name.endsWith(".md"))
                    .sorted()
                    .toList();
        } catch (IOException unreadable) {
            problems.add(new Origin(folder, 0), "", "cannot be read: " + Failures.words(unreadable));
            return List.of();
        }
    }

    /** The same documents with every value read anew, such as with variables replaced. */
    void replaceVariables(Substitution substitution) {
        documents.replaceAll((kind, byName) -> {
            Map<String, Document> replaced = new LinkedHashMap<>();
            byName.forEach((name, document) -> replaced.put(
                    name,
                    document.content() == null ? document : document.with(substitution.in(document.content(), ""))));
            return replaced;
        });
    }
}
