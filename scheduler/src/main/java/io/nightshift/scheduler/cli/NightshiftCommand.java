package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.Home;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.JobTypes;
import io.nightshift.scheduler.ledger.Json;
import java.io.Console;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code nightshift}: what every command shares. */
@Command(
        name = "nightshift",
        description = "Does a PostgreSQL team's night work unattended and hands over a morning report.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        scope = ScopeType.INHERIT,
        sortOptions = false,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:done",
            "1:the run failed, or an internal error",
            "2:wrong usage or configuration",
            "3:damaged data, or findings of severity error or worse",
            "4:refused: already running, lease held elsewhere, not confirmed",
            "5:PostgreSQL or a storage is not reachable",
            "6:done, but something asked for was not evaluated",
            "7:stopped, or past its time limit"
        })
final class NightshiftCommand implements Runnable {

    enum Output {
        TEXT,
        JSON
    }

    static final int FORMAT_VERSION = 1;

    /** In the order of the help. */
    static final List<Class<?>> COMMANDS = List.of(
            SetupCommand.class,
            DemoCommand.class,
            ServeCommand.class,
            RunCommand.class,
            StopCommand.class,
            RestartCommand.class,
            AbandonCommand.class,
            PauseCommand.class,
            ResumeCommand.class,
            JobsCommand.class,
            PlanCommand.class,
            HistoryCommand.class,
            ShowCommand.class,
            ReportCommand.class,
            BackupsCommand.class,
            VerifyCommand.class,
            PinCommand.class,
            CatalogCommand.class,
            RestoreCommand.class,
            ExportCommand.class,
            BisectDamageCommand.class,
            HealthCommand.class,
            RulesCommand.class,
            SchemaCommand.class,
            ConfigCommand.class,
            WarmUpCommand.class);

    private final Map<String, String> environment;
    private final Termination termination;

    @Option(
            names = "--output",
            paramLabel = "text|json",
            defaultValue = "text",
            scope = ScopeType.INHERIT,
            description = "text for people, json for programs: one document on standard output, nothing else there")
    private Output output = Output.TEXT;

    @Option(
            names = "--home",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            description =
                    "where this installation keeps what is its own (default: NIGHTSHIFT_HOME, or .nightshift beside the launcher)")
    private @Nullable Path home;

    @Option(
            names = "--config",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            description = "the configuration (default: NIGHTSHIFT_CONFIG, or job-configs beside the launcher)")
    private @Nullable Path config;

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            scope = ScopeType.INHERIT,
            description = "a folder of the configuration's profiles that is laid over it (default: NIGHTSHIFT_PROFILE)")
    private @Nullable String profile;

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "show where a failure comes from")
    private boolean verbose;

    @Spec
    private @Nullable CommandSpec spec;

    private @Nullable CommandLine attached;
    private boolean timings;
    private boolean jsonAsked;

    NightshiftCommand(Map<String, String> environment, Termination termination) {
        this.environment = environment;
        this.termination = termination;
    }

    /** Goes on only with a person's yes. REFUSED without, and where nobody can be asked. */
    void confirm(String consequence) {
        Console console = isTerminal() ? System.console() : null;
        String answer = console == null ? "" : console.readLine("%s%nGo on? [y/N] ", consequence);
        if (!"y".equalsIgnoreCase(answer) && !"yes".equalsIgnoreCase(answer)) {
            throw new NightshiftException(
                    FailureKind.REFUSED, "not confirmed: " + consequence, "--yes goes on without asking");
        }
    }

    /** How to stop what this command does, when Ctrl-C or SIGTERM comes. */
    void onSignal(Runnable action) {
        termination.onSignal(action);
    }

    /** @param wait how long the command waits before it stops what it does */
    void onSignal(Runnable action, Duration wait) {
        termination.onSignal(action, wait);
    }

    /** Whoever asks wants to know where the time of runs went. */
    void showTimings(boolean asked) {
        timings = asked;
    }

    boolean showsTimings() {
        return timings;
    }

    /** Without a command: say which there are. */
    @Override
    public void run() {
        line().usage(out());
    }

    /** Before each act that others can see: a command that was told to end does not begin it. */
    void checkSignal() {
        if (termination.isSignalled()) {
            throw stopped();
        }
    }

    boolean isSignalled() {
        return termination.isSignalled();
    }

    /** What a command that was told to end failed of. */
    static NightshiftException stopped() {
        return new NightshiftException(FailureKind.CANCELLED, "stopped by a signal, as Ctrl-C sends it");
    }

    /** Whom the ledger names as the one who asked. */
    static String user() {
        return System.getProperty("user.name", "unknown");
    }

    /** For a command line that could not be understood up to its --output. */
    void preferJson(boolean asked) {
        jsonAsked = asked;
    }

    boolean isJson() {
        return output == Output.JSON || jsonAsked;
    }

    /** Whether a person watches; the launcher asks the terminal. */
    boolean isTerminal() {
        return "1".equals(environment.get("NIGHTSHIFT_TERMINAL"));
    }

    PrintWriter out() {
        return line().getOut();
    }

    PrintWriter err() {
        return line().getErr();
    }

    /** Prints the one JSON document of this command. */
    void print(Map<String, ?> document) {
        out().println(Json.writePretty(versioned(document)));
    }

    /** Prints a JSON document on one line: one of many, for a command that goes on until it is stopped. */
    void printLine(Map<String, ?> document) {
        out().println(Json.write(versioned(document)));
        out().flush();
    }

    private static Map<String, Object> versioned(Map<String, ?> document) {
        Map<String, Object> versioned = new LinkedHashMap<>();
        versioned.put("formatVersion", FORMAT_VERSION);
        versioned.putAll(document);
        return versioned;
    }

    Surroundings surroundings() {
        return surroundings(Clock.systemUTC());
    }

    Surroundings surroundings(Clock clock) {
        Home known = home();
        System.setProperty("nightshift.logs", known.logs().toString());
        return new Surroundings(known, configDirectory(), profile(), environment, JobTypes.onClassPath(), clock);
    }

    Home home() {
        Home known = new Home(path(home, "NIGHTSHIFT_HOME", ".nightshift", "home folder", "--home"));
        known.checkUsable();
        return known;
    }

    private Path configDirectory() {
        return path(config, "NIGHTSHIFT_CONFIG", "job-configs", "configuration folder", "--config");
    }

    private @Nullable String profile() {
        return profile != null ? profile : environment.get("NIGHTSHIFT_PROFILE");
    }

    /** Never relative to the current directory: the launcher says where it lies. */
    private Path path(@Nullable Path option, String variable, String beside, String what, String name) {
        if (option != null) {
            return option.toAbsolutePath();
        }
        String set = environment.get(variable);
        if (set != null && !set.isBlank()) {
            return Path.of(set).toAbsolutePath();
        }
        String launcher = environment.get("NIGHTSHIFT_LAUNCHER_DIR");
        if (launcher != null) {
            return Path.of(launcher, beside);
        }
        throw new NightshiftException(
                FailureKind.CONFIGURATION,
                "the " + what + " is not known",
                "start the program with its launcher, or give " + name + " DIR or " + variable);
    }

    void attach(CommandLine line) {
        attached = line;
    }

    /** Says what went wrong; returns the exit status. */
    int fail(NightshiftException failure, Throwable thrown) {
        if (isJson()) {
            Map<String, Object> error = new LinkedHashMap<>();
            error.put("kind", failure.kind());
            error.put("fact", failure.getMessage());
            error.put("hint", failure.hint());
            print(Map.of("error", error));
        } else {
            err().println("nightshift: " + failure.explained());
        }
        if (verbose) {
            thrown.printStackTrace(err());
        }
        return failure.kind().exitStatus();
    }

    private CommandLine line() {
        if (attached != null) {
            return attached;
        }
        return Objects.requireNonNull(spec).commandLine();
    }
}
