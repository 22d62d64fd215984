package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SynchronousStandbyNamesTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*",
                "nightshift",
                "NightShift",
                "one, nightshift",
                "\"nightshift\"",
                "FIRST 1 (one, *)",
                "any 2 (one,\"two\" , nightshift)",
                "2 (one, nightshift, two)",
                "\"*\""
            })
    void match_us(String setting) {
        assertThat(SynchronousStandbyNames.match(setting, "nightshift")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "one",
                "nightshift2, \"a nightshift\"",
                "FIRST 1 (one, two)",
                "ANY 1 (\"night\"\"shift\")",
                "\"one, nightshift, two\""
            })
    void do_not_match_us(String setting) {
        assertThat(SynchronousStandbyNames.match(setting, "nightshift")).isFalse();
    }
}
