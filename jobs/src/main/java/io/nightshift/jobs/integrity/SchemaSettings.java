package io.nightshift.jobs.integrity;

import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What the schemas of databases are compared with. */
record SchemaSettings(
        @Describe(
                "which database of which cluster a database must be like, such as {shop: staging/shop}; owners and privileges apart")
        Map<String, ClusterDatabase> like,

        @Describe(
                "the folder with the SQL migrations of a database, such as {shop: /srv/shop/db/migration}: compared with its"
                        + " history, and applied to an empty database that it must be like")
        Map<String, Path> migrations,

        @Describe(
                "what is not looked for: drift since the night before, accepted schema, history of migrations, rights of roles")
        List<Part> except) {

    /** What can be left out. */
    enum Part {
        DRIFT,
        ACCEPTED,
        HISTORY,
        RIGHTS
    }

    SchemaSettings {
        like = Map.copyOf(like);
        migrations = Map.copyOf(migrations);
        except = List.copyOf(except);
        var refusals = new Refusals();
        refusals.when(except.stream().distinct().count() < except.size(), "except names something twice");
        like.keySet().forEach(database -> refusals.when(database.isEmpty(), "like names a database without a name"));
        migrations
                .keySet()
                .forEach(database -> refusals.when(database.isEmpty(), "migrations names a database without a name"));
        refusals.when(
                except.contains(Part.HISTORY) && !migrations.isEmpty(),
                "migrations is not looked at where except leaves history out; keep one of the two");
        refusals.throwIfAny();
    }

    static SchemaSettings defaults() {
        return new SchemaSettings(Map.of(), Map.of(), List.of());
    }

    boolean looksFor(Part part) {
        return !except.contains(part);
    }
}
