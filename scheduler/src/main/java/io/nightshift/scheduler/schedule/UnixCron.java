package io.nightshift.scheduler.schedule;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Translates Unix cron (five fields, crontab(5)) to Quartz's form. Unix counts weekdays from 0 or 7 = Sunday, Quartz from
 * 1 = Sunday; and where both day fields are restricted Unix takes either, which Quartz cannot say in one expression.
 */
final class UnixCron {

    private static final Map<String, String> NICKNAMES = Map.of(
            "@hourly", "0 * * * *",
            "@daily", "0 0 * * *",
            "@midnight", "0 0 * * *",
            "@weekly", "0 0 * * 0",
            "@monthly", "0 0 1 * *",
            "@yearly", "0 0 1 1 *",
            "@annually", "0 0 1 1 *");
    private static final List<String> WEEKDAYS = List.of("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT");
    private static final Pattern RANGE = Pattern.compile("(?<from>\\*|\\w+)(?:-(?<to>\\w+))?(?:/(?<step>\\d{1,2}))?");

    private UnixCron() {}

    /** One or two Quartz expressions that together are due when the given one is; Quartz's own form passes unchanged. */
    static List<String> toQuartz(String expression) {
        String text = NICKNAMES.getOrDefault(expression.strip().toLowerCase(Locale.ROOT), expression.strip());
        String[] fields = text.split("\\s+", -1);
        if (fields.length == 6 || fields.length == 7) {
            return List.of(text);
        }
        if (fields.length != 5) {
            throw new IllegalArgumentException(
                    "\"" + expression + "\" is not a cron expression: it has " + fields.length
                            + " fields; accepted: 5 (minute hour day month weekday), 6 or 7 (Quartz, with seconds first)");
        }
        String time = "0 " + fields[0] + " " + fields[1];
        String day = fields[2];
        String month = fields[3];
        String weekday = weekdays(expression, fields[4]);
        if (isAny(weekday)) {
            return List.of(time + " " + (isAny(day) ? "*" : day) + " " + month + " ?");
        }
        if (isAny(day)) {
            return List.of(time + " ? " + month + " " + weekday);
        }
        return List.of(time + " " + day + " " + month + " ?", time + " ? " + month + " " + weekday);
    }

    private static boolean isAny(String field) {
        return field.equals("*") || field.equals("?");
    }

    /** The field as a plain list of names: Quartz reads names with a step wrongly, and its numbers differ. */
    private static String weekdays(String expression, String field) {
        if (isAny(field)) {
            return field;
        }
        NavigableSet<Integer> days = new TreeSet<>();
        for (String item : field.split(",", -1)) {
            Matcher range = RANGE.matcher(item.toUpperCase(Locale.ROOT));
            if (!range.matches()) {
                throw wrongWeekday(expression, item);
            }
            boolean any = range.group("from").equals("*");
            int from = any ? 0 : weekday(expression, range.group("from"));
            int step = range.group("step") == null ? 1 : Integer.parseInt(range.group("step"));
            boolean open = any || (range.group("to") == null && range.group("step") != null);
            int to = open ? 6 : range.group("to") == null ? from : weekday(expression, range.group("to"));
            if (step == 0 || to < from) {
                throw wrongWeekday(expression, item);
            }
            IntStream.rangeClosed(from, to)
                    .filter(day -> (day - from) % step == 0)
                    .map(day -> day % 7)
                    .forEach(days::add);
        }
        return days.stream().map(WEEKDAYS::get).collect(Collectors.joining(","));
    }

    private static int weekday(String expression, String text) {
        int day =
                WEEKDAYS.contains(text) ? WEEKDAYS.indexOf(text) : text.matches("[0-7]") ? Integer.parseInt(text) : -1;
        if (day < 0) {
            throw wrongWeekday(expression, text);
        }
        return day;
    }

    private static IllegalArgumentException wrongWeekday(String expression, String item) {
        return new IllegalArgumentException("\"" + expression + "\" is not a cron expression: weekday " + item
                + " does not exist; accepted: 0 to 7 or SUN to SAT, lists, ranges and steps");
    }
}
