package io.nightshift.infra.config;

import io.nightshift.infra.run.JobType;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads one file of clusters/, or, where there is none, libpq's environment variables. */
final class ClusterReader {

    /** The cluster that the environment describes. */
    static final String FROM_ENVIRONMENT = "default";

    private static final String URL = "url";
    private static final Map<String, String> KEY_OF_VARIABLE = Map.of(
            "PGUSER", "username",
            "PGPASSWORD", "password",
            "PGDATABASE", "database",
            "PGSSLMODE", "sslmode",
            "PGSSLROOTCERT", "sslrootcert",
            "PGSSLCERT", "sslcert",
            "PGSSLKEY", "sslkey");

    private final Collection<String> storages;
    private final Map<String, String> environment;
    private final Problems problems;

    ClusterReader(Collection<String> storages, Map<String, String> environment, Problems problems) {
        this.storages = storages;
        this.environment = environment;
        this.problems = problems;
    }

    Optional<ClusterConfig> read(Document document, Value.Mapping file) {
        int before = problems.count();
        Value.Mapping content = withSslMode(withControlDatabase(document.name(), withoutUrl(file)));
        Optional<ClusterConfig> cluster =
                new RecordBinder(problems).bind(ClusterConfig.class, content, "", Map.of("name", document.name()));
        checkStorages(content);
        List.of("sslrootcert", "sslcert", "sslkey").forEach(key -> checkFile(key, content));
        return problems.count() > before ? Optional.empty() : cluster;
    }

    /** The cluster {@code default} when DATABASE_URL or libpq's own variables are set; the former counts first. */
    Optional<Document> fromEnvironment() {
        String url = environment.getOrDefault("DATABASE_URL", "");
        boolean named = !url.isEmpty()
                || List.of("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE").stream()
                        .anyMatch(name -> !environment.getOrDefault(name, "").isEmpty());
        if (!named) {
            return Optional.empty();
        }
        Value.Mapping content = Value.Mapping.empty(Origin.ENVIRONMENT);
        if (url.isEmpty()) {
            content = withNodesOfVariables(content);
        } else {
            content = withUrl(content, url, Origin.ENVIRONMENT, "DATABASE_URL");
        }
        for (var variable : new TreeMap<>(KEY_OF_VARIABLE).entrySet()) {
            String value = environment.getOrDefault(variable.getKey(), "");
            if (!value.isEmpty() && !content.has(variable.getValue())) {
                content = content.with(
                        variable.getValue(), new Value.Text(Origin.ENVIRONMENT, value, "${" + variable.getKey() + "}"));
            }
        }
        content = withUser(content, Origin.ENVIRONMENT);
        var duties = new LinkedHashMap<String, Object>();
        storages.forEach(storage -> duties.put(storage, Names.kebab(StorageDuty.REQUIRED.name())));
        return Optional.of(new Document(
                ConfigurationFolder.CLUSTERS,
                FROM_ENVIRONMENT,
                content.with("storages", Values.mapping(Origin.ENVIRONMENT, duties))
                        // Such a URL names where a server is reached; a container's published port is the usual one.
                        .with("behind-address-translation", new Value.Known(Origin.ENVIRONMENT, true)),
                List.of(Origin.ENVIRONMENT.file())));
    }

    private Value.Mapping withNodesOfVariables(Value.Mapping content) {
        try {
            List<NodeAddress> nodes = LibpqUrl.nodes(
                    List.of(environment.getOrDefault("PGHOST", "").split(",", -1)),
                    List.of(environment.getOrDefault("PGPORT", "").split(",", -1)));
            return content.with("nodes", new Value.Known(Origin.ENVIRONMENT, nodes));
        } catch (IllegalArgumentException refusal) {
            problems.add(Origin.ENVIRONMENT, "PGHOST, PGPORT", String.valueOf(refusal.getMessage()));
            return content.with("nodes", new Value.Known(Origin.ENVIRONMENT, Substitution.Unresolved.VALUE));
        }
    }

    /** Puts the parts of a {@code url} in the place of it. */
    private Value.Mapping withoutUrl(Value.Mapping file) {
        Value url = file.get(URL);
        if (url == null) {
            return file;
        }
        Value.Mapping rest = file.without(URL);
        if (!(url instanceof Value.Text text)) {
            if (!(url instanceof Value.Known)) {
                problems.add(
                        url.at(),
                        URL,
                        url.words() + " is not accepted; accepted: postgresql://user@host:port/database");
            }
            return rest.with("nodes", new Value.Known(url.at(), Substitution.Unresolved.VALUE))
                    .with("username", new Value.Known(url.at(), Substitution.Unresolved.VALUE));
        }
        Value.Mapping whole = withUrl(rest, text.text(), url.at(), URL);
        if (!text.written().contains("${") && whole.has("password") && !rest.has("password")) {
            problems.warn(url.at(), URL, "a secret in plain text; better ${VARIABLE}, or .pgpass");
        }
        return whole;
    }

    /** The embedded one is known; its file says where its backups go. */
    private Value.Mapping withControlDatabase(String cluster, Value.Mapping content) {
        boolean embedded = environment.getOrDefault(ControlDatabaseUrl.URL, "").isEmpty();
        if (!embedded || !cluster.equals(JobType.CONTROL_DATABASE) || content.has("nodes")) {
            return content;
        }
        String itself = "the embedded control database";
        if (content.has("password")) {
            problems.add(content.at("password"), "password", "is said by " + itself + " too; leave it out");
        }
        Origin at = content.at();
        Value.Mapping whole =
                with(content, "nodes", new Value.Known(at, List.of(ClusterConfig.EMBEDDED_CONTROL_DATABASE)), itself);
        whole = with(whole, "username", new Value.Known(at, "postgres"), itself);
        return with(whole, "sslmode", new Value.Known(at, SslMode.PREFER), itself);
    }

    private Value.Mapping withUrl(Value.Mapping content, String text, Origin at, String name) {
        try {
            LibpqUrl url = LibpqUrl.parse(text);
            Value.Mapping whole = with(content, "nodes", new Value.Known(at, url.nodes()), name);
            for (var setting : new TreeMap<>(url.settings()).entrySet()) {
                String key = setting.getKey();
                // Written as if a variable held it: messages must not quote what may be a piece of a password.
                whole = with(whole, key, new Value.Text(at, setting.getValue(), "${" + name + "}"), name);
            }
            return withUser(whole, at);
        } catch (IllegalArgumentException refusal) {
            problems.add(at, name, String.valueOf(refusal.getMessage()));
            return content.with("nodes", new Value.Known(at, Substitution.Unresolved.VALUE))
                    .with("username", new Value.Known(at, Substitution.Unresolved.VALUE));
        }
    }

    /** Like libpq: who names no user is the user of the operating system. */
    private Value.Mapping withUser(Value.Mapping content, Origin at) {
        String user = environment.getOrDefault("PGUSER", environment.getOrDefault("USER", ""));
        return content.has("username") || user.isEmpty()
                ? content
                : content.with("username", new Value.Text(at, user, "${PGUSER}"));
    }

    private Value.Mapping with(Value.Mapping content, String key, Value value, String name) {
        if (content.has(key)) {
            problems.add(content.at(key), key, "is said by " + name + " too; keep one of the two");
        }
        return content.with(key, value);
    }

    private static Value.Mapping withSslMode(Value.Mapping content) {
        if (content.has("sslmode")) {
            return content;
        }
        Value written = content.get("nodes");
        List<NodeAddress> nodes = written == null
                ? List.of()
                : new RecordBinder(new Problems())
                        .bind(Nodes.class, Value.Mapping.empty(content.at()).with("nodes", written), "")
                        .map(Nodes::nodes)
                        .orElse(List.of());
        return content.with("sslmode", new Value.Known(content.at(), ClusterConfig.defaultSslMode(nodes)));
    }

    private void checkStorages(Value.Mapping content) {
        if (!(content.get("storages") instanceof Value.Mapping duties)) {
            return;
        }
        duties.entries().keySet().stream()
                .filter(name -> !storages.contains(name))
                .forEach(name -> problems.add(
                        duties.at(name), "storages." + name, "unknown storage" + Nearest.accepted(name, storages)));
        // A misspelt duty is a problem of its own.
        boolean required = duties.entries().values().stream()
                .anyMatch(entry -> !(entry.value() instanceof Value.Text duty)
                        || !duty.text().equals("best-effort"));
        if (!required && !content.at().equals(Origin.ENVIRONMENT)) {
            problems.add(
                    content.at("storages"), "storages", "no storage is required; make at least one of them required");
        }
    }

    private void checkFile(String key, Value.Mapping content) {
        if (!(content.get(key) instanceof Value.Text text)) {
            return;
        }
        try {
            Path file = Path.of(text.text());
            if (!file.isAbsolute()) {
                problems.add(content.at(key), key, "is not absolute; accepted: an absolute path");
            } else if (!Files.isReadable(file)) {
                problems.add(content.at(key), key, "file not found or not readable");
            }
        } catch (InvalidPathException noPath) {
            // The record refuses it.
        }
    }

    /** Only the nodes of a cluster. */
    private record Nodes(List<NodeAddress> nodes) {}
}
