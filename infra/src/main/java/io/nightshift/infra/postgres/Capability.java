package io.nightshift.infra.postgres;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** Something that not every server can do, or lets our role do. */
public enum Capability {
    /** Summaries of WAL, which incremental base backups need (PostgreSQL 17 and newer). */
    WAL_SUMMARIES,
    /** Pages with checksums, so that changed ones are noticed. */
    DATA_CHECKSUMS,
    /** When a transaction was committed ({@code pg_xact_commit_timestamp}). */
    COMMIT_TIMESTAMPS,
    /** Checks of indexes and heaps. */
    AMCHECK,
    /** Checks of the visibility map. */
    PG_VISIBILITY,
    /** Statistics of everybody's statements. */
    PG_STAT_STATEMENTS,
    /** Base backups and streams of WAL. */
    REPLICATION,
    /** Sessions, statistics and settings of everybody, as {@code pg_monitor} sees them. */
    MONITORING;

    /** Why a server cannot, and what mends that. */
    public record Lack(String fact, String remedy) {}

    Optional<Lack> lackIn(ServerFacts facts) {
        return switch (this) {
            case WAL_SUMMARIES ->
                facts.setting("summarize_wal").isPresent()
                        ? off(facts, "summarize_wal", "SELECT pg_reload_conf()")
                        : lack(
                                "PostgreSQL " + facts.version() + " makes no WAL summaries",
                                "upgrade to PostgreSQL 17 or newer");
            case DATA_CHECKSUMS ->
                facts.isOn("data_checksums")
                        ? Optional.empty()
                        : lack(
                                "data checksums are off",
                                "at the next maintenance stop every server of the cluster and run pg_checksums --enable -D"
                                        + " on each data directory");
            case COMMIT_TIMESTAMPS -> off(facts, "track_commit_timestamp", "then restart the server");
            case AMCHECK -> function(facts, "amcheck", "bt_index_check", grantsOf(facts, "amcheck"));
            case PG_VISIBILITY ->
                function(
                        facts,
                        "pg_visibility",
                        "pg_check_visible",
                        "GRANT pg_stat_scan_tables TO " + facts.role().identifier());
            case PG_STAT_STATEMENTS ->
                preloaded(facts, "pg_stat_statements")
                        .or(() -> installed(facts, "pg_stat_statements"))
                        .or(() -> member(facts, "pg_read_all_stats"));
            case REPLICATION ->
                facts.role().mayReplicate()
                        ? Optional.empty()
                        : lack(
                                "role " + facts.role().name() + " may not replicate",
                                "ALTER ROLE " + Identifiers.quoted(facts.role().name()) + " REPLICATION");
            case MONITORING ->
                facts.role().has("pg_read_all_stats") && facts.role().has("pg_read_all_settings")
                        ? Optional.empty()
                        : member(facts, "pg_monitor");
        };
    }

    private static Optional<Lack> lack(String fact, String remedy) {
        return Optional.of(new Lack(fact, remedy));
    }

    private static Optional<Lack> off(ServerFacts facts, String setting, String takesEffect) {
        return facts.isOn(setting)
                ? Optional.empty()
                : lack(setting + " is off", "ALTER SYSTEM SET " + setting + " = on; " + takesEffect);
    }

    private static Optional<Lack> installed(ServerFacts facts, String name) {
        ServerFacts.Extension extension = facts.extensions().get(name);
        if (extension == null) {
            return lack(
                    "the server has no files of extension " + name,
                    "install the package with PostgreSQL's contrib modules on the server");
        }
        return extension.installed() != null
                ? Optional.empty()
                : lack(
                        "extension " + name + " is not installed in database " + facts.database(),
                        "in database " + facts.database() + ": CREATE EXTENSION " + name);
    }

    /** @param remedy what lets the role call the function */
    private static Optional<Lack> function(ServerFacts facts, String extension, String function, String remedy) {
        return installed(facts, extension)
                .or(() -> facts.mayCall(extension, function)
                        ? Optional.empty()
                        : lack(
                                "role " + facts.role().identifier() + " may not call " + function + " in database "
                                        + facts.database(),
                                remedy));
    }

    private static String grantsOf(ServerFacts facts, String extension) {
        ServerFacts.Extension known = facts.extensions().get(extension);
        return known == null
                ? ""
                : "in database " + facts.database() + ": GRANT EXECUTE ON FUNCTION "
                        + known.withheld().stream().sorted().collect(Collectors.joining(", ")) + " TO "
                        + facts.role().identifier();
    }

    private static Optional<Lack> preloaded(ServerFacts facts, String library) {
        Optional<String> libraries = facts.setting("shared_preload_libraries");
        if (libraries.isEmpty()) {
            return member(facts, "pg_read_all_settings");
        }
        return Arrays.asList(libraries.get().split("[ ,]+")).contains(library)
                ? Optional.empty()
                : lack(
                        library + " is not in shared_preload_libraries",
                        "add it there (ALTER SYSTEM SET shared_preload_libraries = …), then restart the server");
    }

    private static Optional<Lack> member(ServerFacts facts, String role) {
        return facts.role().has(role)
                ? Optional.empty()
                : lack(
                        "role " + facts.role().identifier() + " is no member of " + role,
                        "GRANT " + role + " TO " + facts.role().identifier());
    }
}
