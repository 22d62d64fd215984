package io.nightshift.scheduler.history;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.run.RunId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/**
 * Collects the log lines of the runs that this process works, by the run that the thread's MDC names, and adds them to
 * the control database every few seconds while they run and at the end. A control database that is away costs no run and
 * little memory: the newest lines wait for it. Thread-safe.
 */
public final class RunLogKeeper implements AutoCloseable {

    private static final int EVERY_SECONDS = 3;
    private static final int MOST_WAITING = 2_000;
    private static final int LONGEST_LINE = 2_000;
    private static final String LINE =
            "%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z',UTC} %-5level [%X{step:--}] %logger{0}: %msg%n%xException{8}";

    /** What waits for the control database. */
    private static final class Waiting {
        private final ArrayDeque<String> lines = new ArrayDeque<>();
        private int dropped;

        void add(String line) {
            lines.addLast(line);
            if (lines.size() > MOST_WAITING) {
                lines.removeFirst();
                dropped++;
            }
        }
    }

    private final RunLogs logs;
    private final SecretMask mask;
    private final Map<RunId, Waiting> waiting = new HashMap<>();
    private final PatternLayout layout = new PatternLayout();
    private final Appender appender = new Appender();

    public RunLogKeeper(RunLogs logs, Configuration configuration) {
        this.logs = logs;
        this.mask = new SecretMask(configuration);
    }

    public void start(ScheduledExecutorService timers) {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            layout.setContext(context);
            layout.setPattern(LINE);
            layout.start();
            appender.setContext(context);
            appender.start();
            context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
            Future<?> unused =
                    timers.scheduleWithFixedDelay(this::flush, EVERY_SECONDS, EVERY_SECONDS, TimeUnit.SECONDS);
        }
    }

    private final class Appender extends AppenderBase<ILoggingEvent> {
        @Override
        protected void append(ILoggingEvent event) {
            String run = event.getMDCPropertyMap().get("run");
            if (run != null) {
                collect(new RunId(Long.parseLong(run)), layout.doLayout(event));
            }
        }
    }

    private synchronized void collect(RunId run, String text) {
        Waiting lines = waiting.computeIfAbsent(run, none -> new Waiting());
        // PostgreSQL stores no NUL.
        mask.in(text.replace('\0', '?'))
                .lines()
                .map(line -> line.length() > LONGEST_LINE ? line.substring(0, LONGEST_LINE) + " …" : line)
                .forEach(lines::add);
    }

    /** Writes what waits; what cannot be written waits on. */
    void flush() {
        List<RunId> runs = runs();
        if (runs.isEmpty()) {
            return;
        }
        try (Connection connection = logs.open()) {
            for (RunId run : runs) {
                flush(connection, run);
            }
        } catch (SQLException controlDatabaseIsAway) {
            // it is tried again after the next pause
        }
    }

    private void flush(Connection connection, RunId run) throws SQLException {
        Waiting lines = take(run);
        boolean written = false;
        try {
            RunLogs.append(connection, run, lines.lines, lines.dropped);
            written = true;
        } finally {
            if (!written) {
                putBack(run, lines);
            }
        }
    }

    private synchronized List<RunId> runs() {
        return new ArrayList<>(waiting.keySet());
    }

    private synchronized Waiting take(RunId run) {
        Waiting lines = waiting.remove(run);
        return lines == null ? new Waiting() : lines;
    }

    private synchronized void putBack(RunId run, Waiting before) {
        Waiting after = take(run);
        before.dropped += after.dropped;
        after.lines.forEach(before::add);
        waiting.put(run, before);
    }

    /** Writes what is left and collects nothing any more. */
    @Override
    public void close() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger(Logger.ROOT_LOGGER_NAME).detachAppender(appender);
        }
        appender.stop();
        flush();
    }
}
