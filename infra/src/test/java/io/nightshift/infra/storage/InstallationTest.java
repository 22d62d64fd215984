package io.nightshift.infra.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstallationTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-22T01:00:00Z"), ZoneOffset.UTC);

    @TempDir
    private Path temporary;

    private DirectoryStorage storage;

    @BeforeEach
    void prepare() {
        storage = new DirectoryStorage("local", temporary);
    }

    @Test
    void takes_an_empty_storage_and_knows_it_again() {
        Installation taken = Installation.claim(storage, "night-1", CLOCK);

        Installation again = Installation.claim(storage, "night-1", Clock.systemUTC());

        assertThat(again).isEqualTo(taken).isEqualTo(new Installation(1, "night-1", CLOCK.instant()));
        assertThat(Installation.check(storage, "night-1")).isEqualTo(taken);
    }

    @Test
    void refuses_the_storage_of_another_installation() {
        Installation.claim(storage, "night-1", CLOCK);

        assertFailure(() -> Installation.claim(storage, "night-2", CLOCK), FailureKind.REFUSED)
                .hasMessage("storage local belongs to installation night-1 since 2026-11-22T01:00:00Z,"
                        + " this is installation night-2");
    }

    @Test
    void does_not_take_an_unmarked_storage_for_ours() {
        assertFailure(() -> Installation.check(storage, "night-1"), FailureKind.STORAGE_UNAVAILABLE)
                .hasMessage("storage local holds no installation.json");
    }

    @Test
    void refuses_a_format_of_the_future_but_ignores_new_fields() {
        write(
                "{\"formatVersion\": 1, \"id\": \"night-1\", \"createdAt\": \"2026-11-22T01:00:00Z\", \"colour\": \"red\"}");
        assertThat(Installation.check(storage, "night-1").id()).isEqualTo("night-1");
        storage.delete(Installation.OBJECT);

        write("{\"formatVersion\": 2, \"id\": \"night-1\", \"createdAt\": \"2026-11-22T01:00:00Z\"}");

        assertFailure(() -> Installation.check(storage, "night-1"), FailureKind.REFUSED)
                .hasMessage("storage local has format version 2, this program knows up to 1");
    }

    @Test
    void calls_a_garbled_marker_damaged() {
        for (String garbled : new String[] {"", "{", "[]", "null", "{\"formatVersion\": 1}", "{\"id\": \"x\"}"}) {
            write(garbled);

            assertFailure(() -> Installation.check(storage, "night-1"), FailureKind.DATA_DAMAGED)
                    .hasMessage("object installation.json in storage local is not readable");
            storage.delete(Installation.OBJECT);
        }
    }

    private void write(String json) {
        try (StoredObjectWriter writer = storage.create(Installation.OBJECT)) {
            writer.write(json.getBytes(StandardCharsets.UTF_8));
            writer.commit();
        }
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertFailure(Runnable call, FailureKind kind) {
        return assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(kind));
    }
}
