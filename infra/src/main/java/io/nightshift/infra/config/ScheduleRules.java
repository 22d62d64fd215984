package io.nightshift.infra.config;

import java.nio.file.Path;
import java.util.Optional;

/** What can only be judged by what computes due times. */
public interface ScheduleRules {

    /** Accepts everything, for who reads no due times. */
    ScheduleRules NONE = new ScheduleRules() {
        @Override
        public Optional<String> cronProblem(String expression) {
            return Optional.empty();
        }

        @Override
        public Optional<String> calendarProblem(Path file) {
            return Optional.empty();
        }
    };

    /** What is wrong with a cron expression; empty when nothing is. */
    Optional<String> cronProblem(String expression);

    /** What is wrong with an iCalendar file; empty when nothing is. */
    Optional<String> calendarProblem(Path file);
}
