package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.NightshiftException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class RecordBinderTest {

    private static final Map<String, String> EVERY_KEY = new TreeMap<>(Map.ofEntries(
            Map.entry("compression", "none"),
            Map.entry("checkpoint", "as-server-likes"),
            Map.entry("workers", "4"),
            Map.entry("max-rate", "5000000000"),
            Map.entry("sample", "0.5"),
            Map.entry("verify", "false"),
            Map.entry("patience", "1h30m"),
            Map.entry("buffer", "1.5GB"),
            Map.entry("tables", "[a, \"b, c\"]"),
            Map.entry("weights", "{x: 1, y: 2}"),
            Map.entry("window.length", "PT2H"),
            Map.entry("window.parallel-runs", "3"),
            Map.entry("pause", "90s"),
            Map.entry("key", "s3cret")));

    private static final SampleSettings CHANGED = new SampleSettings(
            "none",
            SampleSettings.Checkpoint.AS_SERVER_LIKES,
            4,
            5_000_000_000L,
            0.5,
            false,
            Duration.ofMinutes(90),
            new DataSize(3L << 29),
            List.of("a", "b, c"),
            Map.of("x", 1, "y", 2),
            new SampleSettings.Window(Duration.ofHours(2), 3),
            Duration.ofSeconds(90),
            new Secret("s3cret"),
            false);

    @Test
    void defaults() {
        assertThat(RecordBinder.fromMap(SampleSettings.class, Map.of())).isEqualTo(SampleSettings.defaults());
    }

    @Test
    void all_keys() {
        assertThat(RecordBinder.withOverrides(SampleSettings.defaults(), EVERY_KEY))
                .isEqualTo(CHANGED);
    }

    @Test
    void gives_maps_for_json_and_reads_them_back() {
        SampleSettings settings = RecordBinder.withOverrides(CHANGED, Map.of("pause", "7d"));
        var withoutSecret = new TreeMap<>(RecordBinder.toMap(settings));
        assertThat(withoutSecret.put("key", null)).isEqualTo("********");
        var json = JsonMapper.shared();

        Map<?, ?> read = json.readValue(json.writeValueAsString(withoutSecret), Map.class);

        @SuppressWarnings("unchecked") // JSON objects have text keys
        SampleSettings back = RecordBinder.fromMap(SampleSettings.class, (Map<String, ?>) read);
        assertThat(back).usingRecursiveComparison().ignoringFields("key").isEqualTo(settings);
        assertThat(back.key()).isNull();
    }

    @Test
    void keeps_what_is_not_overridden() {
        SampleSettings changed = RecordBinder.withOverrides(CHANGED, Map.of("window.parallel-runs", "5"));

        assertThat(changed.window()).isEqualTo(new SampleSettings.Window(Duration.ofHours(2), 5));
        assertThat(changed.key()).isEqualTo(new Secret("s3cret"));
    }

    @Test
    void refuses_overrides_with_all_their_problems() {
        Map<String, String> wrong =
                Map.of("compresion", "none", "workers", "many", "tables", "[a", "window.length", "x", "pause", "-5m");

        assertThatThrownBy(() -> RecordBinder.withOverrides(SampleSettings.defaults(), wrong))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContainingAll(
                        "configuration has 6 problems",
                        "--set  compresion: unknown key; did you mean compression?",
                        "--set  workers: \"many\" is not accepted; accepted: a whole number",
                        "--set  tables: ",
                        "--set  window.length: \"x\" is not accepted; accepted: a duration",
                        "--set  pause: \"-5m\" is not accepted");
    }

    @Test
    void does_not_read_a_masked_secret_back() {
        Map<String, ?> shown = RecordBinder.toMap(CHANGED);

        assertThatThrownBy(() -> RecordBinder.fromMap(SampleSettings.class, shown))
                .hasMessageContaining("stored settings  key: is masked");
    }

    @Test
    void never_prints_a_secret() {
        assertThat(CHANGED.toString() + RecordBinder.toMap(CHANGED) + Values.ofRecord(Origin.STORED, CHANGED))
                .doesNotContain("s3cret");
    }

    @Test
    void describes_every_key() {
        SettingsDescription description = SettingsDescription.of(SampleSettings.class);

        assertThat(description.rows())
                .contains(
                        new SettingsDescription.Row(
                                "compression",
                                "text",
                                "zstd:3",
                                "more makes the backup smaller and the processor busier"),
                        new SettingsDescription.Row(
                                "checkpoint",
                                "fast | spread | as-server-likes",
                                "spread",
                                "spread is gentle, fast begins at once"),
                        new SettingsDescription.Row("patience", "duration", "15m", ""),
                        new SettingsDescription.Row("buffer", "size", "8MB", ""),
                        new SettingsDescription.Row("tables", "list of text", "[]", ""),
                        new SettingsDescription.Row("weights", "map of name to whole number", "{}", ""),
                        new SettingsDescription.Row("pause", "duration", "none", ""),
                        new SettingsDescription.Row("key", "secret", "none", ""));
        assertThat(SettingsDescription.of(NodeAddress.class).rows())
                .extracting(SettingsDescription.Row::standard)
                .containsOnly("required");
    }
}
