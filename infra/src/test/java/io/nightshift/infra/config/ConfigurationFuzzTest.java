package io.nightshift.infra.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.nightshift.infra.server.Effort;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationFuzzTest {

    private static final List<String> PIECES = List.of(
            ":",
            ": ",
            "\n",
            "\t",
            "  ",
            "{",
            "}",
            "[",
            "]",
            "\"",
            "'",
            "&a ",
            "*a",
            "!x ",
            "!!int ",
            "|\n",
            ">\n",
            "- ",
            "? ",
            "#",
            "%",
            "@",
            "`",
            "---\n",
            "...\n",
            "<<: *a",
            "${",
            "${X}",
            "$${",
            "${X:-",
            "}",
            "\0",
            "\u0007",
            "\uFEFF",
            "\uD800",
            "🌙",
            "null",
            "~",
            "-1",
            "99999999999999999999",
            "1e999",
            "file:",
            "file:/",
            "file:/proc/self/mem",
            "=",
            ",");

    @TempDir
    Path root;

    @Test
    void answers_any_text_with_a_configuration_or_a_list_of_problems() {
        String seed = System.getProperty("seed", "");
        long first = seed.isBlank() ? 42 : Long.parseLong(seed);
        int rounds = Effort.of(300, 8_000);
        var directory = ConfigurationDirectory.valid(root);
        List<String> files =
                List.of("nightshift.yaml", "clusters/chanuka.yaml", "jobs/nightly.yaml", "storages/far.yaml");
        List<String> texts = List.of(
                "zone: UTC\nhttp: {port: 1, address: '::1'}\nwork-threads: 3\n",
                ConfigurationDirectory.CLUSTER,
                ConfigurationDirectory.JOB,
                "type: directory\npath: /srv/far\n");

        for (int round = 0; round < rounds; round++) {
            var random = new Random(first + round);
            int which = random.nextInt(files.size());
            String mutated = mutated(texts.get(which), random);
            directory.write(files.get(which), new String(mutated.getBytes(UTF_8), UTF_8));

            assertThatCode(() -> {
                        ConfigurationResult result = directory.check();
                        assertThat(result.configuration() == null)
                                .isEqualTo(!result.problems().isEmpty());
                        assertThat(result.toString()).doesNotContain("correct horse");
                    })
                    .as("seed %d, %s:\n%s", first + round, files.get(which), mutated)
                    .doesNotThrowAnyException();
            directory.write(files.get(which), texts.get(which));
        }
    }

    private static String mutated(String text, Random random) {
        var mutated = new StringBuilder(text);
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            int at = random.nextInt(mutated.length() + 1);
            int end = Math.min(mutated.length(), at + random.nextInt(6));
            switch (random.nextInt(4)) {
                case 0 -> mutated.delete(at, end);
                case 1 -> mutated.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 2 -> mutated.replace(at, end, PIECES.get(random.nextInt(PIECES.size())));
                default -> mutated.insert(at, mutated.substring(at, end));
            }
        }
        return mutated.toString();
    }
}
