package io.nightshift.scheduler.ledger;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;

/**
 * Creates the tables of Spring Batch and Quartz from the scripts in their own jars, without Quartz's DROPs and with the
 * foreign-key indexes that Spring Batch lacks. When a new version of either changes its script, the checksum changes and
 * a test fails: write an additive migration then.
 */
public final class V1__SpringBatchAndQuartz extends BaseJavaMigration {

    static final String SPRING_BATCH = "org/springframework/batch/core/schema-postgresql.sql";
    static final String QUARTZ = "org/quartz/impl/jdbcjobstore/tables_postgres.sql";

    private static final List<String> FOREIGN_KEY_INDEXES = List.of(
            "CREATE INDEX batch_job_execution_instance ON batch_job_execution (job_instance_id)",
            "CREATE INDEX batch_job_execution_params_execution ON batch_job_execution_params (job_execution_id)",
            "CREATE INDEX batch_step_execution_execution ON batch_step_execution (job_execution_id)");

    @Override
    public void migrate(Context context) throws Exception {
        try (Statement statement = context.getConnection().createStatement()) {
            for (String sql : statements()) {
                statement.execute(sql);
            }
        }
    }

    @Override
    public Integer getChecksum() {
        CRC32 checksum = new CRC32();
        statements().forEach(sql -> checksum.update(sql.getBytes(StandardCharsets.UTF_8)));
        return (int) checksum.getValue();
    }

    static List<String> statements() {
        return Stream.of(
                        statementsOf(script(SPRING_BATCH)).stream(),
                        statementsOf(script(QUARTZ)).stream(),
                        FOREIGN_KEY_INDEXES.stream())
                .flatMap(s -> s)
                .toList();
    }

    private static List<String> statementsOf(String script) {
        String withoutComments = script.replaceAll("(?m)^\\s*--.*$", "");
        return Arrays.stream(withoutComments.split(";"))
                .map(String::strip)
                .filter(sql -> !sql.isEmpty() && !sql.startsWith("DROP ") && !sql.equals("COMMIT"))
                .toList();
    }

    static String script(String resource) {
        try (InputStream in = V1__SpringBatchAndQuartz.class.getClassLoader().getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("no " + resource + " on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(resource + " is not readable on the class path", e);
        }
    }
}
