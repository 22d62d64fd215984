package io.nightshift.infra.index;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** When an index may not be dropped, whatever speaks for it; of a partitioned index each part has a say. */
final class DropGuard {

    private final IndexCatalog catalog;
    private final IndexUses uses;
    private final List<Pattern> keep;

    /** @param keep names that stay, {@code database.schema.index} with {@code *} and {@code ?} */
    DropGuard(IndexCatalog catalog, IndexUses uses, List<String> keep) {
        this.catalog = catalog;
        this.uses = uses;
        this.keep = keep.stream().map(DropGuard::pattern).toList();
    }

    private static Pattern pattern(String glob) {
        return Pattern.compile(glob.chars()
                .mapToObj(c -> switch (c) {
                    case '*' -> ".*";
                    case '?' -> ".";
                    default -> Pattern.quote(Character.toString(c));
                })
                .collect(Collectors.joining()));
    }

    /** Why it stays for good: something other than queries needs it, or somebody wants it. */
    Optional<String> never(Index index) {
        return catalog.treeOf(index)
                .flatMap(part -> reason(part)
                        .map(reason -> part.oid() == index.oid() ? reason : "its part " + part.name() + " " + reason)
                        .stream())
                .findFirst();
    }

    private Optional<String> reason(Index index) {
        Index.Duties duties = index.duties();
        Table table = catalog.table(index);
        if (duties.primary()) {
            return Optional.of("is the primary key");
        }
        if (duties.exclusion()) {
            return Optional.of("keeps an exclusion constraint");
        }
        if (!duties.constraints().isEmpty()) {
            return Optional.of("is needed by " + String.join(", ", duties.constraints()));
        }
        if (index.shape().unique()) {
            return Optional.of("keeps its values unique");
        }
        if (duties.replicaIdentity()) {
            return Optional.of("is the replica identity of " + table.name());
        }
        return standing(index);
    }

    /** What is true of broken indexes as well. */
    Optional<String> standing(Index index) {
        Table table = catalog.table(index);
        if (index.duties().clustered()) {
            return Optional.of("gives CLUSTER its order");
        }
        if (index.duties().ofExtension() || table.ofExtension()) {
            return Optional.of("belongs to an extension");
        }
        if (catalog.isSubscribed(table)) {
            return Optional.of("may find the rows that logical replication changes");
        }
        String name = catalog.database() + "." + index.name();
        return keep.stream().anyMatch(pattern -> pattern.matcher(name).matches())
                ? Optional.of("is to be kept by the settings")
                : Optional.empty();
    }

    /** Why now is not the time; what stands in the way passes by itself. */
    Optional<String> notNow(Index index) {
        return uses.unseen().entrySet().stream()
                .map(node -> "node " + node.getKey() + " was not asked: " + node.getValue())
                .sorted()
                .findFirst()
                .or(() -> Optional.ofNullable(uses.unlisted()))
                .or(() -> inUse(index));
    }

    /** Who is at work on its table. */
    Optional<String> inUse(Index index) {
        return catalog.treeOf(index)
                .map(catalog::table)
                .flatMap(table -> Stream.of(
                                Map.entry(table.name(), Optional.ofNullable(table.maintenance())),
                                Map.entry(table.name(), Optional.ofNullable(table.transaction())))
                        .flatMap(use -> use.getValue().stream().map(reason -> use.getKey() + ": " + reason)))
                .findFirst();
    }
}
