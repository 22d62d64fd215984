package io.nightshift.infra.config;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The rules that rows keep though the schema does not say so; files by name. */
public record Rules(Map<String, OfFile> files) {

    public static final Rules NONE = new Rules(Map.of());

    /**
     * A file of rules/.
     *
     * @param cluster whose rows they are of
     * @param login null where they are asked as the cluster's own role
     */
    public record OfFile(
            String name, String cluster, @Nullable RuleLogin login, List<RuleConfig> rules) {

        public OfFile {
            rules = List.copyOf(rules);
        }
    }

    public Rules {
        files = Collections.unmodifiableMap(new TreeMap<>(files));
    }

    /** The files of a cluster. */
    public List<OfFile> of(String cluster) {
        return files.values().stream()
                .filter(file -> file.cluster().equals(cluster))
                .toList();
    }

    /** As whom rules are asked of a cluster that another cluster's rows are compared with. */
    public Optional<RuleLogin> login(String cluster) {
        return of(cluster).stream()
                .flatMap(file -> Optional.ofNullable(file.login()).stream())
                .findFirst();
    }

    /** How many rules there are. */
    public int count() {
        return files.values().stream()
                .map(OfFile::rules)
                .mapToInt(Collection::size)
                .sum();
    }
}
