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
        String seconds = Long.toString(Math.max(1, limit.toSeconds()));
        // Told where the server's program is, it does not start that once more to ask for its version.
        String program = binaries.program("postgres");
        return run(limit, "start", "-w", "-t", seconds, "-p", program, "-l", log.toString(), "-o", options);
    }

    /** Asks it to stop and does not wait: {@code pg_ctl} looks only ten times a second. */
    Command.Outcome askToStop(String mode) {
        return run(Duration.ZERO, "stop", "-W", "-m", mode);
    }

    private Command.Outcome run(Duration limit, String... words) {
        List<String> command = new ArrayList<>(List.of(binaries.program("pg_ctl")));
        command.addAll(List.of(words));
        command.addAll(List.of("-D", dataDirectory.toString()));
        return Command.run(user.command(command), limit.plus(GRACE));
    }

    /** {@code pg_ctl} hands these options to {@code sh}. */
    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }
}
