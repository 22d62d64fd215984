package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.scheduler.schedule.DueTime.Mark;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.util.List;
import java.util.Optional;

/** From times on the wall of a zone to instants, by a policy for the two nights a year when that is not one to one. */
record WallClock(ZoneId zone, Dst policy) {

    /** No zone has ever put its clocks forward or back by more than a day. */
    static final Duration NEAR = Duration.ofHours(25);

    /** Whether the clocks of the zone do not change around then, so that wall and instant go in step. */
    boolean isPlain(Instant around) {
        ZoneOffsetTransition next = zone.getRules().nextTransition(around.minus(NEAR));
        return next == null || next.getInstant().isAfter(around.plus(NEAR));
    }

    /** A stretch of the wall, {@code to} excluded. */
    record Stretch(LocalDateTime from, LocalDateTime to) {}

    /** The repeated stretch that the time on the wall is in; empty when it comes once or never. */
    Optional<Stretch> repeated(LocalDateTime wall) {
        return Optional.ofNullable(zone.getRules().getTransition(wall))
                .filter(ZoneOffsetTransition::isOverlap)
                .map(overlap -> new Stretch(overlap.getDateTimeAfter(), overlap.getDateTimeBefore()));
    }

    /** Nothing later on the wall comes before this. */
    Instant earliest(LocalDateTime wall) {
        return wall.atZone(zone).withEarlierOffsetAtOverlap().toInstant().minus(NEAR);
    }

    /**
     * The due times of one time on the wall: none, one or two, in order.
     *
     * @param keepsGoing whether the schedule is due in the hours around a repeated one too: then it does not pause while
     *     that hour repeats, whatever the policy
     */
    List<DueTime> dueTimes(LocalDateTime wall, boolean keepsGoing) {
        ZoneOffsetTransition transition = zone.getRules().getTransition(wall);
        if (transition == null) {
            return List.of(DueTime.at(wall.atZone(zone).toInstant()));
        }
        if (transition.isGap()) {
            return policy == Dst.SKIP ? List.of() : List.of(new DueTime(transition.getInstant(), Mark.SHIFTED, null));
        }
        DueTime first = new DueTime(instant(wall, transition.getOffsetBefore()), Mark.FIRST_OF_TWO, null);
        return policy == Dst.BOTH || keepsGoing
                ? List.of(first, new DueTime(instant(wall, transition.getOffsetAfter()), Mark.SECOND_OF_TWO, null))
                : List.of(first);
    }

    private static Instant instant(LocalDateTime wall, ZoneOffset offset) {
        return wall.toInstant(offset);
    }
}
