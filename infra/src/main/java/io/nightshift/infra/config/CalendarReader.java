package io.nightshift.infra.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.Map;
import java.util.Optional;

/**
 * Reads one file of calendars/.
 *
 * @param folder where the file lies: iCalendar files may lie beside it
 * @param zone of calendars that name none
 */
record CalendarReader(Path folder, ZoneId zone, ScheduleRules rules, Problems problems) {

    Optional<CalendarConfig> read(Document document, Value.Mapping content) {
        int before = problems.count();
        Value.Mapping whole = content.has("zone") ? content : content.with("zone", new Value.Known(content.at(), zone));
        Optional<CalendarConfig> calendar = new RecordBinder(problems)
                .bind(CalendarConfig.class, whole, "", Map.of("name", document.name()))
                .map(this::resolved);
        calendar.map(CalendarConfig::icalendar).ifPresent(file -> checkFile(file, content));
        return problems.count() > before ? Optional.empty() : calendar;
    }

    private CalendarConfig resolved(CalendarConfig calendar) {
        Path file = calendar.icalendar();
        return new CalendarConfig(
                calendar.name(),
                calendar.zone(),
                calendar.days(),
                calendar.weekly(),
                calendar.windows(),
                file == null ? null : folder.resolve(file).toAbsolutePath().normalize());
    }

    private void checkFile(Path file, Value.Mapping content) {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            problems.add(content.at("icalendar"), "icalendar", "file " + file + " not found or not readable");
            return;
        }
        rules.calendarProblem(file).ifPresent(problem -> problems.add(content.at("icalendar"), "icalendar", problem));
    }
}
