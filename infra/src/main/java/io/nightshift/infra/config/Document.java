package io.nightshift.infra.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the files say about one thing, the profile's file laid over the plain one.
 *
 * @param folder {@code clusters}, …; empty for nightshift.yaml
 * @param content null when a file could not be read, which is then among the problems
 * @param sources relative to the configuration directory
 */
record Document(String folder, String name, Value.@Nullable Mapping content, List<String> sources) {

    Document {
        sources = List.copyOf(sources);
    }

    String path() {
        return folder.isEmpty() ? name : folder + "/" + name;
    }

    Document with(Value.@Nullable Mapping changed) {
        return new Document(folder, name, changed, sources);
    }
}
