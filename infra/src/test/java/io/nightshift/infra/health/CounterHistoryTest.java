package io.nightshift.infra.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** With which earlier look one is compared, and what is kept for the next. */
class CounterHistoryTest {

    private static final Instant NOW = Instant.parse("2026-11-28T06:00:00Z");

    private static CounterReading hoursAgo(double hours) {
        return of("db1", "7 timeline 1 primary", hours);
    }

    private static CounterReading of(String node, String series, double hours) {
        return new CounterReading(
                node, series, NOW.minus(Duration.ofSeconds(Math.round(hours * 3600))), Map.of("c", 1L));
    }

    @Test
    void a_look_is_compared_with_the_youngest_that_is_about_a_day_old_and_else_with_the_oldest() {
        assertThat(new CounterHistory(List.of()).before(hoursAgo(0))).isEmpty();
        assertThat(new CounterHistory(List.of(hoursAgo(2), hoursAgo(5))).before(hoursAgo(0)))
                .contains(hoursAgo(5));
        assertThat(new CounterHistory(List.of(hoursAgo(2), hoursAgo(23.9), hoursAgo(48))).before(hoursAgo(0)))
                .contains(hoursAgo(23.9));
        assertThat(new CounterHistory(List.of(hoursAgo(72))).before(hoursAgo(0)))
                .contains(hoursAgo(72));
    }

    @Test
    void nothing_is_compared_with_another_node_system_timeline_or_role_nor_with_what_was_before_a_crash() {
        var others = new CounterHistory(List.of(
                of("db2", "7 timeline 1 primary", 24),
                of("db1", "7 timeline 2 primary", 24),
                of("db1", "8 timeline 1 primary", 24),
                of("db1", "7 timeline 1 primary", -1)));

        assertThat(others.before(hoursAgo(0))).isEmpty();
    }

    @Test
    void looks_of_every_minute_keep_one_an_hour_and_no_more_than_a_day() {
        CounterHistory history = new CounterHistory(List.of());
        for (int minute : IntStream.rangeClosed(-4 * 24 * 60, 0).toArray()) {
            history = history.with(hoursAgo(-minute / 60.0));
        }

        assertThat(history.readings()).hasSizeBetween(20, 22);
        assertThat(Duration.between(history.readings().get(0).at(), NOW))
                .isBetween(Duration.ofHours(20), Duration.ofHours(22));
    }

    @Test
    void a_look_after_a_crash_or_a_promotion_ends_the_series_of_its_node_and_no_other() {
        var before = new CounterHistory(List.of(hoursAgo(30), hoursAgo(2), of("db2", "7 timeline 1 standby", 2)));

        var after = before.with(of("db1", "7 timeline 2 primary", 0));

        assertThat(after.readings())
                .containsExactly(of("db2", "7 timeline 1 standby", 2), of("db1", "7 timeline 2 primary", 0));
    }
}
