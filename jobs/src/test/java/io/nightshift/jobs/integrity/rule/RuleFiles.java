package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.ConfigurationFiles;
import io.nightshift.infra.config.ConfigurationResult;
import io.nightshift.infra.config.Rules;
import io.nightshift.infra.config.ScheduleRules;
import io.nightshift.infra.server.FileTree;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Rules as a file has them. */
public final class RuleFiles {

    /** A role that reads everything and can do nothing else. */
    static final String LOGIN = "username: rule_reader\npassword: ${RULE_PASSWORD}\ndatabase: shop\nrules:\n";

    /** With the password of the superuser, whose hash is quickly made. */
    static final String[] MAKE_LOGIN = {
        "CREATE ROLE rule_reader LOGIN IN ROLE pg_read_all_data",
        "UPDATE pg_authid SET rolpassword = (SELECT rolpassword FROM pg_authid WHERE rolname = current_user)"
                + " WHERE rolname = 'rule_reader'"
    };

    private static final ScheduleRules ANY = new ScheduleRules() {
        @Override
        public Optional<String> cronProblem(String expression) {
            return Optional.empty();
        }

        @Override
        public Optional<String> calendarProblem(Path file) {
            return Optional.empty();
        }
    };

    private RuleFiles() {}

    /** Of a file of the cluster; the whole of it. Clusters {@code alpha} and {@code zulu} are known too. */
    public static Rules read(TestCluster cluster, String yaml) {
        try (var clusters = cluster.orchestrator()) {
            Path directory = Files.createTempDirectory("rules-");
            Files.createDirectories(directory.resolve("rules"));
            Files.writeString(directory.resolve("rules").resolve(TestCluster.NAME + ".yaml"), yaml);
            ClusterConfig config = clusters.cluster(TestCluster.NAME).config();
            ConfigurationResult read = new ConfigurationFiles(
                            directory,
                            directory,
                            null,
                            Map.of("RULE_PASSWORD", cluster.postgres().password(), "HOME", ""))
                    .check(List.of(), ANY, Map.of(TestCluster.NAME, config, "alpha", config, "zulu", config));
            FileTree.delete(directory);
            return read.orThrow().rules();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
