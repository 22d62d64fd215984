package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Where each tablespace goes. One that lay outside the data directory gets a directory that was named for it: there is no
 * safe choice without (its old place may be production's; in the data directory, servers refuse it). In-place ones stay
 * where they are.
 *
 * @param elsewhere the directory of each tablespace outside the data directory, by oid
 * @param inPlace the oids of those inside
 */
record TablespacePlan(Map<String, Path> elsewhere, List<String> inPlace) {

    /**
     * CONFIGURATION, with the options to give, if the choice is not complete or not safe.
     *
     * @param chosen by oid
     * @param otherwise what else can be done where a choice is missing; begins with a semicolon, or is ""
     */
    static TablespacePlan of(BackupDocument document, Path directory, Map<String, Path> chosen, String otherwise) {
        Map<String, String> outside = new TreeMap<>();
        Map<String, String> inside = new TreeMap<>();
        for (BackupDocument.Archive archive : document.archives()) {
            if (archive.tablespace() != null) {
                (archive.location().startsWith("/") ? outside : inside).put(archive.tablespace(), archive.location());
            }
        }
        requireKnown(document, chosen, outside, inside);
        requireChosen(document, directory, chosen, outside, otherwise);
        Map<String, Path> elsewhere = new LinkedHashMap<>();
        outside.keySet().forEach(oid -> elsewhere.put(oid, chosen.get(oid)));
        requireApart(directory, elsewhere);
        return new TablespacePlan(elsewhere, List.copyOf(inside.keySet()));
    }

    private static void requireKnown(
            BackupDocument document,
            Map<String, Path> chosen,
            Map<String, String> outside,
            Map<String, String> inside) {
        chosen.forEach((oid, place) -> {
            if (inside.containsKey(oid)) {
                throw wrong(
                        "tablespace " + oid + " lies inside the data directory, and stays there",
                        "leave --tablespace " + oid + "=… out");
            }
            if (!outside.containsKey(oid)) {
                throw wrong(
                        "backup " + document.label() + " has no tablespace " + oid,
                        outside.isEmpty()
                                ? "it has none outside the data directory"
                                : "it has "
                                        + outside.entrySet().stream()
                                                .map(each -> each.getKey() + " (" + each.getValue() + ")")
                                                .collect(Collectors.joining(", ")));
            }
            if (!place.isAbsolute()) {
                throw wrong(
                        "directory " + place + " of tablespace " + oid + " is not absolute",
                        "give the whole path: the server follows it from wherever it is started");
            }
        });
    }

    private static void requireChosen(
            BackupDocument document,
            Path directory,
            Map<String, Path> chosen,
            Map<String, String> outside,
            String otherwise) {
        if (!chosen.keySet().containsAll(outside.keySet())) {
            throw wrong(
                    "backup " + document.label() + " has tablespaces outside the data directory: "
                            + outside.entrySet().stream()
                                    .map(each -> each.getKey() + " (was in " + each.getValue() + ")")
                                    .collect(Collectors.joining(", ")),
                    "say where each goes, a directory that is absent or empty: "
                            + outside.keySet().stream()
                                    .map(oid -> "--tablespace " + oid + "="
                                            + chosen.getOrDefault(oid, Path.of(directory + "-tablespace-" + oid)))
                                    .collect(Collectors.joining(" "))
                            + otherwise);
        }
    }

    /** No two directories may be one, or one inside the other. */
    private static void requireApart(Path directory, Map<String, Path> elsewhere) {
        Map<String, Path> places = new LinkedHashMap<>();
        places.put("the data directory", real(directory));
        elsewhere.forEach((oid, place) -> places.put("tablespace " + oid, real(place)));
        places.forEach((one, path) -> places.forEach((other, within) -> {
            if (!one.equals(other) && within.startsWith(path)) {
                throw wrong(
                        other + " in " + within + " would lie in the directory of " + one + ", " + path,
                        "give each a directory of its own");
            }
        }));
    }

    /** As the file system sees it, also where its last parts do not exist yet. */
    private static Path real(Path path) {
        Path normal = path.toAbsolutePath().normalize();
        Path existing = TargetFailures.existing(normal);
        try {
            return existing.toRealPath().resolve(existing.relativize(normal));
        } catch (IOException unreadable) {
            return normal;
        }
    }

    private static NightshiftException wrong(String fact, String hint) {
        return new NightshiftException(FailureKind.CONFIGURATION, fact, hint);
    }
}
