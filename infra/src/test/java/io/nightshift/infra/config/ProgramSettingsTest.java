package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.ZoneId;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgramSettingsTest {

    @Test
    void defaults() {
        ProgramSettings settings = RecordBinder.fromMap(ProgramSettings.class, Map.of());

        assertThat(settings)
                .isEqualTo(new ProgramSettings(ZoneId.of("UTC"), new HttpSettings(0, "127.0.0.1"), 4, null));
    }

    @Test
    void all_keys() {
        Map<String, ?> map =
                Map.of("zone", "Africa/Nairobi", "http", Map.of("port", 8432, "address", "::1"), "work-threads", 8);

        ProgramSettings settings = RecordBinder.fromMap(ProgramSettings.class, map);

        assertThat(settings)
                .isEqualTo(new ProgramSettings(ZoneId.of("Africa/Nairobi"), new HttpSettings(8432, "::1"), 8, null));
    }

    @Test
    void keeps_the_other_default_of_an_inner_map_that_names_one_key() {
        Map<String, ?> map = Map.of("http", Map.of("port", 8432));

        ProgramSettings settings = RecordBinder.fromMap(ProgramSettings.class, map);

        assertThat(settings.http()).isEqualTo(new HttpSettings(8432, "127.0.0.1"));
    }
}
