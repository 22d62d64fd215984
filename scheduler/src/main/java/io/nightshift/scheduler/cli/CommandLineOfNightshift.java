package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Parses arguments, runs the command, and turns failures into a message and an exit status. */
final class CommandLineOfNightshift {

    private CommandLineOfNightshift() {}

    static int run(String[] arguments, PrintWriter out, PrintWriter err, Map<String, String> environment) {
        Termination termination = new Termination();
        NightshiftCommand top = new NightshiftCommand(environment, termination);
        CommandLine line = new CommandLine(top);
        line.setOut(out);
        line.setErr(err);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        line.registerConverter(java.time.Duration.class, Arguments::duration);
        line.registerConverter(java.time.Instant.class, Arguments::instant);
        line.setParameterExceptionHandler((wrong, ignored) -> usage(top, wrong));
        line.setExecutionExceptionHandler(
                (thrown, command, parsed) -> top.fail(NightshiftException.of(thrown), thrown));
        return termination.finished(line.execute(arguments));
    }

    private static int usage(NightshiftCommand top, ParameterException wrong) {
        String command = wrong.getCommandLine().getCommandSpec().qualifiedName();
        top.attach(wrong.getCommandLine());
        return top.fail(
                new NightshiftException(
                        FailureKind.CONFIGURATION,
                        Arguments.lowerCaseFirst(String.valueOf(wrong.getMessage())),
                        command + " --help shows what is accepted"),
                wrong);
    }
}
