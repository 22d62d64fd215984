package io.nightshift.infra.config;

import io.nightshift.infra.run.JobType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A job type without a job behind it. */
record SampleJobType(String name) implements JobType {

    static final List<JobType> ALL = List.of(new SampleJobType("full-backup"), new SampleJobType("health-benchmark"));

    /** Stands for the scheduler's checks: five fields, and a file that begins as iCalendar files do. */
    static final ScheduleRules RULES = new ScheduleRules() {
        @Override
        public Optional<String> cronProblem(String expression) {
            return expression.split(" ", -1).length == 5
                    ? Optional.empty()
                    : Optional.of("\"" + expression + "\" is not accepted; accepted: five fields");
        }

        @Override
        public Optional<String> calendarProblem(Path file) {
            return Optional.empty();
        }
    };

    @Override
    public String summary() {
        return "does nothing";
    }

    @Override
    public Class<? extends Record> settings() {
        return SampleSettings.class;
    }

    /** Tables are of other clusters where they say so: {@code staging/orders}. */
    @Override
    public Map<String, String> otherClusters(Record settings) {
        return ((SampleSettings) settings)
                .tables().stream()
                        .filter(table -> table.contains("/"))
                        .collect(Collectors.toMap(table -> "tables", table -> table.substring(0, table.indexOf('/'))));
    }

    @Override
    public boolean isEndless() {
        return name.equals("health-benchmark");
    }

    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public String dryRun() {
        return "does nothing";
    }

    @Override
    public Class<?> configuration() {
        return SampleJobType.class;
    }
}
