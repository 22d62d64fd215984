package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.run.Severity;
import org.jspecify.annotations.Nullable;

/**
 * Something that is wrong now.
 *
 * @param key stable for as long as it lasts; what only one node can see begins with {@code node/} and its name
 * @param job null when it concerns no single job
 * @param run null when it concerns no run
 * @param detail the fact, with its numbers
 * @param remedy a command to look with, or what to do
 */
public record Condition(
        String key,
        ConditionKind kind,
        @Nullable String job,
        @Nullable String cluster,
        @Nullable Long run,
        Severity severity,
        String subject,
        String detail,
        String remedy) {}
