package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.Schedule.Dst;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.TimeZone;
import org.jspecify.annotations.Nullable;
import org.quartz.CronExpression;

/**
 * A cron expression in Unix form (minute hour day month weekday) or Quartz form (with seconds first and perhaps a year
 * last). The fields are expanded on wall-clock time and then mapped to instants, because Quartz's own trigger loses
 * nights at daylight-saving changes.
 */
public final class CronSchedule implements Schedule {

    private static final TimeZone WALL_CLOCK = TimeZone.getTimeZone(ZoneOffset.UTC);
    private static final Duration HOUR = Duration.ofHours(1);

    private final String expression;
    private final WallClock clock;
    private final List<CronExpression> expressions;

    /** Throws IllegalArgumentException with a message for people when the expression is not valid. */
    public CronSchedule(String expression, ZoneId zone, Dst policy) {
        this.expression = expression;
        this.clock = new WallClock(zone, policy);
        this.expressions =
                UnixCron.toQuartz(expression).stream().map(this::parse).toList();
    }

    /** What is wrong with the expression; empty when nothing is. */
    public static Optional<String> problem(String expression) {
        try {
            return new CronSchedule(expression, ZoneOffset.UTC, Dst.SHIFT)
                            .next(Instant.EPOCH)
                            .isPresent()
                    ? Optional.empty()
                    : Optional.of("\"" + expression + "\" is never due");
        } catch (IllegalArgumentException e) {
            return Optional.ofNullable(e.getMessage());
        }
    }

    @Override
    public String text() {
        return "cron " + expression + " " + clock.zone() + " "
                + clock.policy().name().toLowerCase(Locale.ROOT);
    }

    /**
     * Far from any change of the clocks the next time on the wall is the next due time. Near one, the walk over the wall
     * begins well before, because an hour of it can lie behind us (repeated) or be missing ahead, and ends when no later
     * time on the wall can come before the best found.
     */
    @Override
    public Optional<DueTime> next(Instant after) {
        LocalDateTime now = LocalDateTime.ofInstant(after, clock.zone());
        DueTime best = null;
        LocalDateTime begin = clock.isPlain(after) ? now : now.minus(WallClock.NEAR);
        for (LocalDateTime time = nextOnTheWall(begin); time != null; time = nextOnTheWall(time)) {
            if (best != null && clock.earliest(time).isAfter(best.at())) {
                break;
            }
            for (DueTime due : clock.dueTimes(time, keepsGoing(time))) {
                if (due.at().isAfter(after) && (best == null || due.at().isBefore(best.at()))) {
                    best = due;
                }
            }
            if (best != null && clock.isPlain(best.at())) {
                break;
            }
        }
        return Optional.ofNullable(best);
    }

    /** Whether it is due in the hour before the repeated one and in the hour after it. */
    private boolean keepsGoing(LocalDateTime time) {
        return clock.repeated(time)
                .filter(hour -> isDueWithinAnHour(hour.from().minus(HOUR)) && isDueWithinAnHour(hour.to()))
                .isPresent();
    }

    private boolean isDueWithinAnHour(LocalDateTime from) {
        LocalDateTime due = nextOnTheWall(from.minusSeconds(1));
        return due != null && due.isBefore(from.plus(HOUR));
    }

    private @Nullable LocalDateTime nextOnTheWall(LocalDateTime after) {
        Date from = Date.from(after.toInstant(ZoneOffset.UTC));
        return expressions.stream()
                .map(cron -> cron.getNextValidTimeAfter(from))
                .filter(Objects::nonNull)
                .min(Comparator.naturalOrder())
                .map(date -> LocalDateTime.ofInstant(date.toInstant(), ZoneOffset.UTC))
                .orElse(null);
    }

    private CronExpression parse(String quartz) {
        try {
            CronExpression cron = new CronExpression(quartz);
            cron.setTimeZone(WALL_CLOCK);
            return cron;
        } catch (ParseException | RuntimeException e) {
            throw new IllegalArgumentException("\"" + expression + "\" is not a cron expression: " + e.getMessage(), e);
        }
    }
}
