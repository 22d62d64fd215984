package io.nightshift.infra.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A small valid configuration on disk, to be broken in one place. */
final class ConfigurationDirectory {

    static final String CLUSTER = """
            nodes: ["db1.internal:5432", db2.internal]
            username: nightshift
            password: ${CHANUKA_PASSWORD}
            databases: {except: [scratch]}
            storages: {local: required, far: best-effort}
            labels: {environment: production}
            """;

    static final String JOB = """
            type: full-backup
            cluster: chanuka
            schedule: {cron: "0 1 * * *", zone: Africa/Nairobi}
            timeout: 4h
            settings:
              compression: "zstd:3"
              checkpoint: spread
            """;

    final Path root;
    final Map<String, String> environment =
            new HashMap<>(Map.of("CHANUKA_PASSWORD", "correct horse", "HOME", "/nonexistent"));

    @Nullable
    String profile;

    ConfigurationDirectory(Path root) {
        this.root = root;
    }

    static ConfigurationDirectory valid(Path root) {
        return new ConfigurationDirectory(root)
                .write("nightshift.yaml", "zone: Europe/Berlin\nhttp: {port: 8432}\n")
                .write("storages/local.yaml", "type: directory\npath: ${NIGHTSHIFT_HOME}/storage\n")
                .write("storages/far.yaml", "type: directory\npath: /srv/far\n")
                .write("clusters/chanuka.yaml", CLUSTER)
                .write("jobs/nightly.yaml", JOB);
    }

    ConfigurationDirectory write(String file, String text) {
        try {
            Path path = root.resolve(file);
            Files.createDirectories(path.getParent());
            Files.writeString(path, text);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ConfigurationDirectory with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    ConfigurationDirectory profile(String name) {
        profile = name;
        return this;
    }

    ConfigurationResult check() {
        return new ConfigurationFiles(root, Path.of("/home/night"), profile, environment)
                .check(SampleJobType.ALL, SampleJobType.RULES);
    }

    Configuration load() {
        return check().orThrow();
    }
}
