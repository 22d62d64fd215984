package io.nightshift.infra.schema;

import io.nightshift.infra.run.RunContext;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Schemas in memory. Every run with a lower number counts as completed. */
final class RememberedSchemas implements SchemaBook {

    private record Database(String cluster, String name) {}

    private record Look(String job, Database database) {}

    private final Map<Look, NavigableMap<Long, Optional<KeptSchema>>> seen = new HashMap<>();
    private final Map<Database, KeptSchema> accepted = new HashMap<>();

    @Override
    public synchronized Optional<KeptSchema> seenBefore(RunContext run, String database) {
        return before(run, seen.get(look(run, database)));
    }

    private static Look look(RunContext run, String database) {
        return new Look(run.job(), new Database(run.cluster(), database));
    }

    private static Optional<KeptSchema> before(
            RunContext run, @Nullable NavigableMap<Long, Optional<KeptSchema>> looks) {
        return Optional.ofNullable(looks)
                .map(all -> all.lowerEntry(run.id().number()))
                .flatMap(Map.Entry::getValue);
    }

    @Override
    public synchronized Set<String> databasesSeenBefore(RunContext run) {
        return seen.entrySet().stream()
                .filter(entry -> entry.getKey()
                        .equals(look(run, entry.getKey().database().name())))
                .filter(entry -> before(run, entry.getValue()).isPresent())
                .map(entry -> entry.getKey().database().name())
                .collect(Collectors.toSet());
    }

    @Override
    public synchronized Optional<KeptSchema> seenBy(long run, String cluster, String database) {
        return seen.entrySet().stream()
                .filter(entry -> entry.getKey().database().equals(new Database(cluster, database)))
                .flatMap(entry -> entry.getValue().getOrDefault(run, Optional.empty()).stream())
                .findFirst();
    }

    @Override
    public synchronized void saw(RunContext run, String database, Schema schema, Instant at) {
        keep(run, database, Optional.of(new KeptSchema(schema, at, "run " + run.id())));
    }

    @Override
    public synchronized void sawNone(RunContext run, String database, Instant at) {
        keep(run, database, Optional.empty());
    }

    private void keep(RunContext run, String database, Optional<KeptSchema> schema) {
        seen.computeIfAbsent(look(run, database), first -> new TreeMap<>())
                .put(run.id().number(), schema);
    }

    @Override
    public synchronized Optional<KeptSchema> accepted(String cluster, String database) {
        return Optional.ofNullable(accepted.get(new Database(cluster, database)));
    }

    @Override
    public synchronized Set<String> databasesAccepted(String cluster) {
        return accepted.keySet().stream()
                .filter(database -> database.cluster().equals(cluster))
                .map(Database::name)
                .collect(Collectors.toSet());
    }

    @Override
    public synchronized void accept(String cluster, String database, KeptSchema schema) {
        accepted.put(new Database(cluster, database), schema);
    }

    @Override
    public synchronized boolean acceptNoMore(String cluster, String database) {
        return accepted.remove(new Database(cluster, database)) != null;
    }
}
