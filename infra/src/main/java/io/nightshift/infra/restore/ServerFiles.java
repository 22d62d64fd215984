package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.FileSetting;
import io.nightshift.infra.server.LoopbackPort;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The configuration of a restored server. An inert one gets files of its own, because the source's would make it archive
 * into, follow, or clean up what is the source's; a replacement keeps the source's, without what they say of recovery.
 * To be synced with the rest of the data directory.
 */
final class ServerFiles {

    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");
    private static final String CONF = "postgresql.conf";
    private static final String AUTO = "postgresql.auto.conf";
    private static final String HBA = "pg_hba.conf";
    private static final String IDENT = "pg_ident.conf";

    /**
     * With less of these than the source had, recovery stops; the others decide how data are read and shown. Not the
     * locales: a server does not start with one that this machine lacks.
     */
    private static final List<String> KEPT = List.of(
            "max_connections",
            "max_worker_processes",
            "max_wal_senders",
            "max_prepared_transactions",
            "max_locks_per_transaction",
            "max_replication_slots",
            "max_active_replication_origins",
            "track_commit_timestamp",
            "wal_level",
            "DateStyle",
            "IntervalStyle",
            "TimeZone",
            "default_text_search_config",
            "bytea_output");

    /** What a server does by itself, at the start, at the end of recovery, or for others. */
    private static final Map<String, String> INERT = inert();

    /** What leads to another target, to WAL that is production's, or to another data directory than this one. */
    private static final Pattern LEADS_AWAY = Pattern.compile(
            "\\s*(recovery_\\w+|restore_command|archive_cleanup_command|primary_conninfo|primary_slot_name"
                    + "|data_directory|external_pid_file)\\b.*",
            Pattern.CASE_INSENSITIVE);

    /** Of a replacement: what files that are included may still say. */
    private static final Map<String, String> NO_OTHER_RECOVERY = noOtherRecovery();

    private static final Pattern INCLUDE =
            Pattern.compile("\\s*include(_dir|_if_exists)?\\b.*", Pattern.CASE_INSENSITIVE);

    private final BackupDocument document;
    private final Path directory;

    ServerFiles(BackupDocument document, Path directory) {
        this.document = document;
        this.directory = directory;
    }

    private static Map<String, String> inert() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("listen_addresses", "localhost");
        settings.put("unix_socket_directories", ".");
        settings.put("ssl", "off");
        settings.put("archive_mode", "off");
        settings.put("archive_command", "");
        settings.put("archive_library", "");
        settings.put("archive_cleanup_command", "");
        settings.put("recovery_end_command", "");
        settings.put("primary_conninfo", "");
        settings.put("primary_slot_name", "");
        settings.put("synchronous_standby_names", "");
        settings.put("shared_preload_libraries", "");
        settings.put("session_preload_libraries", "");
        settings.put("local_preload_libraries", "");
        settings.put("max_logical_replication_workers", "0");
        settings.put("huge_pages", "try");
        settings.put("logging_collector", "off");
        settings.put("log_destination", "stderr");
        return settings;
    }

    private static Map<String, String> noOtherRecovery() {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String name : List.of(
                "recovery_target",
                "recovery_target_name",
                "recovery_target_time",
                "recovery_target_xid",
                "recovery_target_lsn",
                "recovery_end_command",
                "archive_cleanup_command",
                "primary_conninfo",
                "primary_slot_name")) {
            settings.put(name, "");
        }
        settings.put("recovery_target_inclusive", "on");
        settings.put("recovery_min_apply_delay", "0");
        return settings;
    }

    /** Writes those of a server that does nothing by itself; returns its port. */
    int writeInert(Map<String, String> recovery, boolean readableMeanwhile) {
        int port = LoopbackPort.free();
        Map<String, String> settings = new LinkedHashMap<>(INERT);
        if (document.major() >= 17) {
            settings.put("event_triggers", "off");
            settings.put("sync_replication_slots", "off");
        }
        settings.put("port", Integer.toString(port));
        // Otherwise recovery waits for ever where the source had more connections.
        settings.put("hot_standby", readableMeanwhile ? "on" : "off");
        boolean hasInPlace = document.archives().stream()
                .anyMatch(archive ->
                        archive.tablespace() != null && !archive.location().startsWith("/"));
        if (hasInPlace) {
            settings.put("allow_in_place_tablespaces", "on");
        }
        Map<String, String> source = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        source.putAll(document.source().settings());
        for (String name : KEPT) {
            String value = source.get(name);
            if (value != null) {
                settings.put(name, value);
            }
        }
        settings.putAll(recovery);
        for (String name : List.of(CONF, AUTO, HBA, IDENT)) {
            keepAside(name);
        }
        write(
                CONF,
                lines(
                        "Written by nightshift restore: this server does nothing by itself. The source's own is " + CONF
                                + ".source.",
                        settings));
        write(AUTO, "# Empty by nightshift restore; the source's is " + AUTO + ".source.\n");
        write(HBA, """
                # Written by nightshift restore. Nobody knows the superuser's password of the source: the socket lies in this
                # directory, which only its owner may enter, and lets him in as postgres; all others need their passwords.
                # If postgres is no superuser of the cluster, write the name of one there.
                local all postgres trust
                local all all scram-sha-256
                host all all 127.0.0.1/32 scram-sha-256
                host all all ::1/128 scram-sha-256
                """);
        write(IDENT, "");
        if (!recovery.isEmpty()) {
            write("recovery.signal", "");
        }
        return port;
    }

    /** Keeps the source's; adds what recovery needs. Returns what to look at before it is started. */
    List<String> writeReplacement(Map<String, String> recovery) {
        List<String> checklist = new ArrayList<>();
        checklist.add("the old primary is down and stays down; its clients and standbys can no longer reach it");
        if (!Files.exists(directory.resolve(CONF))) {
            write(CONF, fromSource());
            checklist.add("postgresql.conf lay outside the data directory (" + fileOf(CONF)
                    + "): this one has its settings; paths, included files and passwords are yours to check");
        } else {
            comment(CONF);
            if (read(CONF).lines().anyMatch(line -> INCLUDE.matcher(line).matches())) {
                checklist.add(
                        "postgresql.conf includes other files: those outside the data directory must be here too");
            }
        }
        if (!Files.exists(directory.resolve(HBA))) {
            write(HBA, String.join("\n", document.source().hba()) + "\n");
            checklist.add("pg_hba.conf lay outside the data directory: this one has its rules");
        }
        if (!Files.exists(directory.resolve(IDENT))) {
            write(IDENT, "");
        }
        comment(AUTO);
        if (!recovery.isEmpty()) {
            Map<String, String> settings = new LinkedHashMap<>(NO_OTHER_RECOVERY);
            settings.keySet().removeAll(recovery.keySet());
            settings.putAll(recovery); // the target last: an empty one after it would count as a second
            write(AUTO, read(AUTO) + lines("Added by nightshift restore", settings));
            write("recovery.signal", "");
        }
        setting(checklist, "archive_command", "archives with %s: into an archive of its own, or an empty place");
        setting(checklist, "archive_library", "archives with %s: into an archive of its own, or an empty place");
        setting(checklist, "synchronous_standby_names", "waits for standbys %s: commits hang until they are there");
        setting(checklist, "shared_preload_libraries", "preloads %s: they must be installed here");
        setting(checklist, "port", "listens on port %s");
        setting(checklist, "listen_addresses", "listens on %s");
        checklist.add("replication slots are not in a backup: make those of standbys and subscribers again");
        checklist.add("standbys of the old primary follow a timeline that ended: rebuild them, or pg_rewind them");
        checklist.add("subscriptions start to pull at once: SELECT subname FROM pg_subscription");
        checklist.add("nightshift run full-backup for the new timeline, when it is open for writing");
        return checklist;
    }

    private void setting(List<String> checklist, String name, String words) {
        String value = document.source().settings().getOrDefault(name, "");
        if (!value.isEmpty() && !value.equals("(disabled)")) {
            checklist.add("it " + String.format(Locale.ROOT, words, value));
        }
    }

    private String fileOf(String name) {
        return document.source().fileSettings().stream()
                .map(FileSetting::file)
                .filter(file -> file.endsWith("/" + name))
                .findFirst()
                .orElse("unknown place");
    }

    private String fromSource() {
        Map<String, String> settings = new LinkedHashMap<>();
        document.source().fileSettings().stream()
                .filter(setting -> !setting.file().endsWith("/" + AUTO))
                .filter(setting -> !LEADS_AWAY.matcher(setting.name()).matches())
                .forEach(setting -> settings.put(setting.name(), setting.setting()));
        settings.keySet().removeAll(Set.of("hba_file", "ident_file"));
        return lines("Written by nightshift restore from the source's files", settings);
    }

    /** What a server would follow away from here. */
    private void comment(String name) {
        if (Files.exists(directory.resolve(name))) {
            StringBuilder kept = new StringBuilder();
            read(name)
                    .lines()
                    .forEach(line -> kept.append(
                                    LEADS_AWAY.matcher(line).matches() ? "# left out by nightshift restore: " : "")
                            .append(line)
                            .append('\n'));
            write(name, kept.toString());
        }
    }

    private void keepAside(String name) {
        Path file = directory.resolve(name);
        try {
            if (Files.exists(file)) {
                Files.move(file, directory.resolve(name + ".source"), StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    /** Nothing if there is none. Their encoding is the administrator's: every byte stays. */
    private String read(String name) {
        try {
            Path file = directory.resolve(name);
            return Files.exists(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
        } catch (IOException failed) {
            throw TargetFailures.of(directory.resolve(name), failed);
        }
    }

    private void write(String name, String content) {
        Durable.writeUnsynced(
                directory.resolve(name), PRIVATE, out -> out.write(content.getBytes(StandardCharsets.ISO_8859_1)));
    }

    private static String lines(String comment, Map<String, String> settings) {
        StringBuilder text = new StringBuilder("# " + comment + "\n");
        settings.forEach((name, value) -> text.append(name)
                .append(" = '")
                .append(value.replace("\\", "\\\\").replace("'", "''"))
                .append("'\n"));
        return text.toString();
    }
}
