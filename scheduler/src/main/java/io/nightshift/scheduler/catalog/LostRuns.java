package io.nightshift.scheduler.catalog;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.ProofNote;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.scheduler.ledger.PastRun;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The runs that left backups, proofs and gaps. No storage says of which job they were: they are counted with the one
 * configured job of their type on their cluster; where there is none, or several, with the type, as runs that a person asked
 * for. A backup was written until the time that it says; how long it was read back afterwards nobody knows. Pure.
 */
public final class LostRuns {

    private static final String BACKUP = "-backup";
    private static final String RESTORE_TEST = "restore-test";
    private static final String WAL_ARCHIVE = "wal-archive";

    private final Configuration configuration;

    public LostRuns(Configuration configuration) {
        this.configuration = configuration;
    }

    /** In the order in which they ended. */
    public List<PastRun> of(StoredPast past) {
        Stream<PastRun> backups = past.backups().stream()
                .flatMap(backup -> backup.document().stream())
                .map(this::backup);
        Stream<PastRun> proofs = past.proofs().stream().map(proof -> proof(past, proof));
        Stream<PastRun> gaps = past.gaps().stream().map(gap -> gap(past, gap));
        return Stream.of(backups, proofs, gaps)
                .flatMap(runs -> runs)
                .sorted(Comparator.comparing(PastRun::endedAt).thenComparing(PastRun::trace))
                .toList();
    }

    private PastRun backup(BackupDocument document) {
        String type = document.type() + BACKUP;
        String summary = "backup " + document.label()
                + (document.parent() == null ? "" : " on " + document.parent()) + ": "
                + new DataSize(document.bytes()).rounded() + " stored in "
                + new DataSize(document.storedBytes()).rounded();
        List<Figure> figures = List.of(
                new Figure("bytes", document.bytes(), "bytes"),
                new Figure("stored bytes", document.storedBytes(), "bytes"));
        return new PastRun(
                job(type, document.cluster()),
                type,
                document.cluster(),
                document.run(),
                document.label().toString(),
                document.startedAt(),
                document.endedAt(),
                report(summary, figures, List.of()));
    }

    /** Of what it found only the newest test of the cluster says how things stand. */
    private PastRun proof(StoredPast past, Proof proof) {
        ProofNote note = proof.note();
        boolean isNewest = past.proofs().stream()
                .max(Proof.NEWEST_LAST)
                .filter(proof::equals)
                .isPresent();
        List<Finding> findings = proof.holds()
                ? List.of()
                : List.of(new Finding(
                        RESTORE_TEST + "/" + proof.label(),
                        Severity.CRITICAL,
                        "backup " + proof.label(),
                        "its restore test failed: " + proof.reason(),
                        "nightshift run " + RESTORE_TEST + " --cluster " + past.cluster(),
                        isNewest ? Finding.State.NEW : Finding.State.RESOLVED));
        return new PastRun(
                job(RESTORE_TEST, past.cluster()),
                RESTORE_TEST,
                past.cluster(),
                note == null ? null : note.run(),
                "restore test of " + proof.label() + " at " + proof.at(),
                begin(proof.at(), note),
                proof.at(),
                report(
                        "backup " + proof.label() + (proof.holds() ? " proven by a restore" : " refuted by a restore"),
                        figures(note),
                        findings));
    }

    /** Up to the first connection is measured; how long the checks took is not known. */
    private static Instant begin(Instant end, @Nullable ProofNote note) {
        Double seconds = note == null ? null : note.tookSeconds();
        return seconds == null ? end : end.minus(Duration.ofMillis(Math.round(seconds * 1000)));
    }

    private static List<Figure> figures(@Nullable ProofNote note) {
        if (note == null) {
            return List.of();
        }
        return List.of(
                new Figure("tables checked", note.tables(), "tables"),
                new Figure("indexes checked", note.indexes(), "indexes"),
                new Figure("things wrong", note.wrong(), ""));
    }

    /** One that a backup begins behind stands in nobody's way any more. */
    private PastRun gap(StoredPast past, WalGap gap) {
        boolean isOpen = past.backups().stream()
                .flatMap(backup -> backup.document().stream())
                .noneMatch(document -> document.startLsn().compareTo(gap.to()) >= 0);
        Finding finding = gap.finding(past.cluster());
        return new PastRun(
                job(WAL_ARCHIVE, past.cluster()),
                WAL_ARCHIVE,
                past.cluster(),
                null,
                finding.key() + " to " + gap.to(),
                gap.at(),
                gap.at(),
                report(
                        "a gap in the WAL archive from " + gap.from() + " to " + gap.to(),
                        List.of(),
                        List.of(finding.as(isOpen ? Finding.State.NEW : Finding.State.RESOLVED))));
    }

    private static JobReport report(String summary, List<Figure> figures, List<Finding> findings) {
        return new JobReport(summary + "; put back from the storages", figures, findings, List.of(), List.of());
    }

    private String job(String type, String cluster) {
        List<String> jobs = configuration.jobs().values().stream()
                .filter(job -> job.type().equals(type) && job.clusters().contains(cluster))
                .map(JobConfig::name)
                .toList();
        return jobs.size() == 1 ? jobs.get(0) : type;
    }
}
