package io.nightshift.infra.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** PostgreSQL's {@code pg_ctl}: it starts servers in a session of their own, and knows the signals that stop them. */
record PgCtl(PostgresBinaries binaries, ServerUser user, Path dataDirectory) {

    /** What it may take longer than the limit it was given before we take it for hanging. */
    private static final Duration GRACE = Duration.ofSeconds(20);

    Command.Outcome start(Map<String, String> settings, Path log, Duration limit) {
        String options = settings.entrySet().stream()
                .map(setting -> "-c " + quoted(setting.getKey() + "=" + setting.getValue()))
                .collect(Collectors.joining(" "));
        return run(limit, "start", "-l", log.toString(), "-o", options);
    }

    Command.Outcome stop(String mode, Duration limit) {
        return run(limit, "stop", "-m", mode);
    }

    private Command.Outcome run(Duration limit, String... words) {
        List<String> command = new ArrayList<>(List.of(binaries.program("pg_ctl")));
        command.addAll(List.of(words));
        command.addAll(
                List.of("-D", dataDirectory.toString(), "-w", "-t", Long.toString(Math.max(1, limit.toSeconds()))));
        return Command.run(user.command(command), limit.plus(GRACE));
    }

    /** {@code pg_ctl} hands these options to {@code sh}. */
    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }
}
