package io.nightshift.scheduler.schedule;

import java.text.ParseException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TimeZone;
import org.jspecify.annotations.Nullable;
import org.quartz.CronExpression;

/**
 * A cron expression in Unix form (minute hour day month weekday) or Quartz form (with seconds first and perhaps a year
 * last). The fields are expanded on wall-clock time and then mapped to instants, because Quartz's own trigger loses
 * nights at daylight-saving changes: a time in the gap of spring moves to the end of the gap, a time in the repeated hour
 * of autumn is due once, at its first occurrence.
 */
public final class CronSchedule implements Schedule {

    private static final TimeZone WALL_CLOCK = TimeZone.getTimeZone(ZoneOffset.UTC);

    private final String expression;
    private final ZoneId zone;
    private final List<CronExpression> wallClock;

    /** @throws IllegalArgumentException with a message for people when the expression is not valid */
    public CronSchedule(String expression, ZoneId zone) {
        this.expression = expression;
        this.zone = zone;
        this.wallClock = UnixCron.toQuartz(expression).stream().map(this::parse).toList();
    }

    /** What is wrong with the expression; empty when nothing is. */
    public static Optional<String> problem(String expression) {
        try {
            return new CronSchedule(expression, ZoneOffset.UTC)
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
        return "cron " + expression + " " + zone;
    }

    @Override
    public Optional<Instant> next(Instant after) {
        // An hour of wall-clock time can lie behind us (repeated) or be missing ahead: begin well before, take what is
        // after.
        LocalDateTime wall = LocalDateTime.ofInstant(after, zone).minusHours(3);
        while (true) {
            LocalDateTime candidate = nextOnTheWall(wall);
            if (candidate == null) {
                return Optional.empty();
            }
            Instant due = instantOf(candidate);
            if (due.isAfter(after)) {
                return Optional.of(due);
            }
            wall = candidate;
        }
    }

    private @Nullable LocalDateTime nextOnTheWall(LocalDateTime after) {
        Date from = Date.from(after.toInstant(ZoneOffset.UTC));
        return wallClock.stream()
                .map(cron -> cron.getNextValidTimeAfter(from))
                .filter(Objects::nonNull)
                .min(Comparator.naturalOrder())
                .map(date -> LocalDateTime.ofInstant(date.toInstant(), ZoneOffset.UTC))
                .orElse(null);
    }

    private Instant instantOf(LocalDateTime wall) {
        ZoneOffsetTransition transition = zone.getRules().getTransition(wall);
        if (transition != null && transition.isGap()) {
            return transition.getInstant();
        }
        return wall.atZone(zone).withEarlierOffsetAtOverlap().toInstant();
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
