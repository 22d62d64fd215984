package io.nightshift.scheduler.cli;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.scheduler.ledger.PageToken;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** Parses arguments, runs the command, and turns failures into a message and an exit status. */
final class CommandLineOfNightshift {

    private CommandLineOfNightshift() {}

    static int run(String[] arguments, PrintWriter out, PrintWriter err, Map<String, String> environment) {
        Termination termination = new Termination();
        NightshiftCommand top = new NightshiftCommand(environment, termination);
        CommandLine line = new CommandLine(top);
        commands(arguments).forEach(line::addSubcommand);
        line.setOut(out);
        line.setErr(err);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        line.registerConverter(java.time.Duration.class, Arguments::duration);
        line.registerConverter(java.time.Instant.class, Arguments::instant);
        line.registerConverter(java.time.LocalDate.class, Arguments::date);
        line.registerConverter(PageToken.class, Arguments::page);
        line.registerConverter(Lsn.class, Arguments::lsn);
        line.registerConverter(RestoreCommand.Moment.class, RestoreCommand.Moment::parse);
        line.registerConverter(RestoreTimeline.class, RestoreCommand::timeline);
        line.setParameterExceptionHandler((wrong, ignored) -> usage(top, wrong));
        line.setExecutionExceptionHandler((thrown, command, parsed) -> top.fail(failure(top, thrown), thrown));
        top.preferJson(asksForJson(arguments));
        return termination.finished(line.execute(arguments));
    }

    /** Those that the arguments name, which takes a tenth of a second less than all; all for help and for mistakes. */
    private static List<Class<?>> commands(String[] arguments) {
        Set<String> words = Set.copyOf(Arrays.asList(arguments));
        List<Class<?>> named = NightshiftCommand.COMMANDS.stream()
                .filter(command ->
                        words.contains(command.getAnnotation(Command.class).name()))
                .toList();
        return named.isEmpty() ? NightshiftCommand.COMMANDS : named;
    }

    /** Whatever breaks after the signal breaks because of it. */
    private static NightshiftException failure(NightshiftCommand top, Exception thrown) {
        return top.isSignalled() ? NightshiftCommand.stopped() : NightshiftException.of(thrown);
    }

    /** Also where picocli stops at a wrong argument before it comes to this one. */
    private static boolean asksForJson(String[] arguments) {
        List<String> words = Arrays.asList(arguments);
        int option = words.indexOf("--output");
        return words.contains("--output=json")
                || (option >= 0
                        && option + 1 < words.size()
                        && words.get(option + 1).equals("json"));
    }

    private static int usage(NightshiftCommand top, ParameterException wrong) {
        String command = wrong.getCommandLine().getCommandSpec().qualifiedName();
        top.attach(wrong.getCommandLine());
        return top.fail(
                new NightshiftException(
                        FailureKind.CONFIGURATION,
                        Arguments.inOurWords(String.valueOf(wrong.getMessage())),
                        command + " --help shows what is accepted"),
                wrong);
    }
}
