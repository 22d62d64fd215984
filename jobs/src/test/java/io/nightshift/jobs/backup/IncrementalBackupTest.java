package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.PGConnection;

/**
 * The patterns under which PostgreSQL's own incremental backups lose committed rows or bring deleted ones back, one table
 * each, on servers that send changed blocks and on servers whose blocks we compare: every backup restores to exactly what its
 * server had.
 */
class IncrementalBackupTest {

    private static final IncrementalBackupJobType INCREMENTAL = new IncrementalBackupJobType();
    private static final DifferentialBackupJobType DIFFERENTIAL = new DifferentialBackupJobType();
    private static final Map<String, Object> FAST = Map.of("compression", "zstd:1", "checkpoint", "fast");
    private static final List<String> TABLES =
            List.of("extended", "cut_before", "cut_between", "summaries", "visible", "untouched", "emptied", "later");

    static List<Integer> servers() {
        return PostgresVersions.underTest();
    }

    /** A server whose changes can be told, by itself or by us. */
    static TestCluster start(int major, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(settings);
        all.put("autovacuum", "off");
        if (major >= Parents.SENDS_CHANGES) {
            all.put("summarize_wal", "on");
        }
        return TestCluster.start(major, all);
    }

    /** A quick run of any type of backup. */
    static JobRun run(JobType type, TestCluster cluster) {
        Map<String, Object> settings = type.settings() == BackupSettings.class ? FAST : Map.of("backup", FAST);
        return JobRun.of(type, cluster, RecordBinder.fromMap(type.settings(), settings));
    }

    @ParameterizedTest
    @MethodSource("servers")
    void every_backup_of_a_chain_restores_exactly_what_the_server_had(int major) throws Exception {
        try (TestCluster cluster = start(major, Map.of())) {
            Map<BackupLabel, List<String>> had = new LinkedHashMap<>();
            Past past = new Past(cluster, had);
            TestPostgres postgres = cluster.postgres();
            postgres.execute("postgres", "CREATE EXTENSION pg_visibility", "CREATE EXTENSION amcheck");
            for (String table : TABLES.subList(0, TABLES.size() - 1)) {
                postgres.execute(
                        "postgres",
                        "CREATE TABLE " + table + " (id int, filler text)",
                        "INSERT INTO " + table + " SELECT i, repeat('x', 500) FROM generate_series(1, 10000) i",
                        "CREATE INDEX ON " + table + " (id)",
                        "VACUUM (FREEZE, ANALYZE) " + table);
            }
            past.take(INCREMENTAL);

            cut(postgres, "extended");
            copy(postgres, "extended", 20_001, 21_000);
            cut(postgres, "cut_before");
            cut(postgres, "summaries");
            for (int i = 0; i < 3; i++) {
                postgres.execute("postgres", "CHECKPOINT", "SELECT pg_switch_wal()");
            }
            copy(postgres, "summaries", 20_001, 20_900);
            postgres.execute("postgres", "DELETE FROM visible WHERE id <= 5000");
            past.take(INCREMENTAL);

            copy(postgres, "cut_before", 20_001, 21_000);
            cut(postgres, "cut_between");
            copy(postgres, "cut_between", 20_001, 21_000);
            postgres.execute(
                    "postgres",
                    "TRUNCATE emptied",
                    "CREATE TABLE later (id int, filler text)",
                    "INSERT INTO later SELECT i, 'late' FROM generate_series(1, 1000) i",
                    "CREATE INDEX ON later (id)",
                    "VACUUM later");
            past.take(INCREMENTAL);
            postgres.execute("postgres", "UPDATE untouched SET filler = 'touched' WHERE id % 1000 = 7");
            past.take(DIFFERENTIAL);
            past.take(INCREMENTAL);

            assertThat(had.keySet())
                    .extracting(label -> label.type().toString())
                    .containsExactly("full", "incremental", "incremental", "differential", "incremental");
            for (Map.Entry<BackupLabel, List<String>> backup : had.entrySet()) {
                try (RestoredBackup restored = RestoredBackup.of(cluster, backup.getKey())) {
                    assertThat(rows(restored.connect("postgres")))
                            .as("%s", backup.getKey())
                            .isEqualTo(backup.getValue());
                    assertThat(restored.texts(
                                    "SELECT c.relname || ' ' || v.t_ctid FROM pg_class c,"
                                            + " LATERAL pg_check_visible(c.oid) v WHERE relkind = 'r'",
                                    "SELECT c.relname || ' ' || v.msg FROM pg_class c, LATERAL verify_heapam(c.oid) v"
                                            + " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"))
                            .as("%s", backup.getKey())
                            .isEmpty();
                }
            }
        }
    }

    /** Two may begin in one second, and then their labels do not tell. */
    static BackupLabel newest(TestCluster cluster) {
        return cluster.backups().stream()
                .max(Comparator.comparing(
                        backup -> backup.document().orElseThrow().startLsn()))
                .orElseThrow()
                .label();
    }

    /** Backups, and what the server had when each was taken. */
    private record Past(TestCluster cluster, Map<BackupLabel, List<String>> had) {

        void take(JobType type) throws Exception {
            run(type, cluster).attempt().completed();
            had.put(newest(cluster), rows(cluster.postgres().connect("postgres")));
        }
    }

    /** Leaves 200 rows, and a file that is as short as they need. */
    private static void cut(TestPostgres postgres, String table) {
        postgres.execute("postgres", "DELETE FROM " + table + " WHERE id > 200", "VACUUM " + table);
    }

    /** In bulk, which extends a table by more pages than it fills. */
    private static void copy(TestPostgres postgres, String table, int from, int to) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int id = from; id <= to; id++) {
            lines.append(id).append('\t').append("y".repeat(500)).append('\n');
        }
        try (Connection connection = postgres.connect("postgres")) {
            connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn("COPY " + table + " FROM STDIN", new StringReader(lines.toString()));
        }
    }

    /** Of each table that there is: its rows read one after the other, and counted by the index alone. */
    private static List<String> rows(Connection opened) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Connection connection = opened;
                Statement statement = connection.createStatement()) {
            for (String table : TABLES) {
                if (single(statement, "SELECT to_regclass('" + table + "')") == null) {
                    continue;
                }
                statement.execute(
                        "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;"
                                + " SET enable_seqscan = on");
                String read = single(
                        statement,
                        "SELECT count(*) || ' ' || coalesce(sum(hashtext(t::text)::bigint), 0) FROM " + table + " t");
                statement.execute("SET enable_seqscan = off; SET enable_indexonlyscan = on");
                String counted = single(
                        statement,
                        "SELECT count(*) FILTER (WHERE id <= 5000) || '+' || count(*) FILTER (WHERE id > 5000)"
                                + " FROM " + table + " WHERE id > 0");
                rows.add(table + " " + read + " " + counted);
            }
        }
        return rows;
    }

    private static String single(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
