package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.restore.KeptCopy;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the operator reads of a restore test in the morning. */
final class RestoreTestReport {

    static final String KEY = "restore-test/";

    private RestoreTestReport() {}

    static Finding discarded(String cluster, RestoredCopies.Discarded copy) {
        return new Finding(
                KEY + "swept/" + cluster,
                Severity.INFO,
                "restored copy " + copy.name(),
                copy.reason() + "; its server was ended and its files are removed",
                null);
    }

    /** Where the copy is that stays, and what it is not like. */
    static void kept(RunContext run, KeptCopy copy, BackupDocument document) {
        List<List<String>> rows = new ArrayList<>(List.of(
                List.of("until", seconds(copy.until())),
                List.of(
                        "server",
                        "PostgreSQL " + copy.version() + ", 127.0.0.1 port " + copy.port() + ", process "
                                + copy.process() + " on " + copy.node()),
                List.of("directory", copy.directory()),
                List.of("settings of the source that matter to plans", number(copy.settings()))));
        copy.differences().forEach(difference -> rows.add(List.of("differs", difference)));
        if (isOlder(copy.version(), document.source().version())) {
            rows.add(List.of(
                    "differs",
                    "its server is older than the source's " + document.source().version()));
        }
        rows.add(List.of(
                "does not show",
                "what tables and indexes are used for (statistics of use are not in a backup), the source's shared_buffers,"
                        + " caches and hardware"));
        run.section(Section.table("restored copy", List.of("", ""), rows));
    }

    private static boolean isOlder(String version, String source) {
        return minor(version) < minor(source);
    }

    private static int minor(String version) {
        String[] parts = version.split("\\.", -1);
        return parts.length < 2 || !parts[1].matches("\\d{1,9}") ? 0 : Integer.parseInt(parts[1]);
    }

    /** Whatever was found another night is neither there nor gone. */
    static NotEvaluated nothingChecked(BackupDocument document, String reason) {
        return new NotEvaluated("backup " + document.label(), reason, List.of(KEY));
    }

    static void restored(RunContext run, ChosenBackup chosen, Restored restored) {
        run.measured(new Figure("backups in the chain", chosen.chain().size(), "backups"));
        run.measured(new Figure("restored", restored.bytes(), "bytes"));
        for (String complaint : restored.complaints()) {
            run.report(new Finding(
                    KEY + "copy/" + chosen.label() + "/" + complaint.replaceFirst(":.*", ""),
                    Severity.ERROR,
                    "backup " + chosen.label(),
                    "read from another copy, because of " + complaint,
                    "nightshift verify " + chosen.label() + " names all that is damaged"));
        }
    }

    static void opened(RunContext run, ChosenBackup chosen, Duration took, ReachedPoint reached, LossWindow loss) {
        run.measured(new Figure("restored and open after", took.toMillis() / 1000.0, "s"));
        run.measured(new Figure("loss window", loss.time().toMillis() / 1000.0, "s"));
        SourcePoint source = chosen.source();
        if (loss.bytes() == null) {
            run.notEvaluated("loss window in WAL", "the source does not answer: " + source.silence());
        } else {
            run.measured(new Figure("WAL not restored", loss.bytes(), "bytes"));
        }
        run.section(Section.table(
                "point reached",
                List.of("", "location", "time"),
                List.of(
                        List.of("restored to", reached.location().toString(), seconds(reached.at())),
                        List.of(
                                "source was at",
                                source.location() == null
                                        ? "unknown"
                                        : source.location().toString(),
                                seconds(source.lastCommit() == null ? source.at() : source.lastCommit())))));
    }

    private static String seconds(java.time.Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    static List<Finding> findings(TestedCopy test, String cluster) {
        BackupLabel label = test.chosen().label();
        String older = test.chosen()
                .cluster()
                .provenBeside(label)
                .map(proof -> "backup " + proof.label() + " was proven at " + seconds(proof.at()))
                .orElse("no other backup was ever proven");
        String another = older + "; take a new one with nightshift run full-backup --cluster " + cluster
                + ", and delete nothing older before it is proven";
        List<Finding> findings = new ArrayList<>();
        for (String refusal : test.refusals()) {
            findings.add(
                    new Finding(KEY + "restore/" + cluster, Severity.CRITICAL, "backup " + label, refusal, another));
        }
        for (CheckResult.Wrong wrong : test.result().wrong()) {
            findings.add(new Finding(
                    KEY + wrong.check() + "/" + wrong.object(),
                    wrong.severity(),
                    wrong.subject(),
                    wrong.detail(),
                    wrong.check().equals("assertion")
                            ? "ask the source the same: if it says t, the backup has lost something; " + older
                            : "look at the same on the source: if it is sound, only the backup is damaged; "
                                    + another));
        }
        return findings;
    }

    static void checked(RunContext run, TestedCopy test, int wrong) {
        CheckResult result = test.result();
        run.measured(new Figure("tables checked", result.tables(), "tables"));
        run.measured(new Figure("indexes checked", result.indexes(), "indexes"));
        run.measured(new Figure("things wrong", wrong, ""));
        if (result.databases() > 0) {
            run.section(Section.table(
                    "checks",
                    List.of("check", "done"),
                    List.of(
                            List.of("system catalogs read", number(result.catalogs())),
                            List.of("tables, with visibility maps", number(result.tables())),
                            List.of("indexes against their tables", number(result.indexes())),
                            List.of("rows counted by table and by index", number(result.counted())),
                            List.of("rows compared with the source's, tables", number(result.compared())),
                            List.of("assertions", number(result.assertions())))));
        }
        TestedCopy.@Nullable Opened opened = test.opened();
        String what = chain(test.chosen().label(), test.chosen().chain().size());
        if (opened == null) {
            run.summary("backup " + what + " "
                    + String.join("; ", test.refusals()).lines().findFirst().orElse(""));
            return;
        }
        run.summary("restored " + what + target(test.chosen().plan()) + " in " + duration(opened.took()) + ", "
                + count(result.tables(), "table", "tables") + " and "
                + count(result.indexes(), "index", "indexes") + " checked, "
                + (result.compared() == 0 ? "" : number(result.compared()) + " compared with the source, ")
                + (result.reachedAll() ? "" : "not all reached, so not proven, ")
                + (wrong == 0 ? "" : wrong + " wrong, ") + "would lose "
                + opened.loss().words());
    }

    /** Where it says more than the end of the archive. */
    private static String target(RestorePlan plan) {
        return plan.target() instanceof RestoreTarget.AtTime ? " to " + plan.target() : "";
    }

    static String chain(BackupLabel label, int backups) {
        return label + (backups == 1 ? "" : " (chain of " + backups + ")");
    }

    static String duration(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
        }
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d min", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d h", seconds / 3600, seconds % 3600 / 60);
    }

    static String count(long number, String one, String many) {
        return number(number) + " " + (number == 1 ? one : many);
    }

    static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String bytes(long bytes) {
        return new DataSize(bytes).rounded();
    }
}
