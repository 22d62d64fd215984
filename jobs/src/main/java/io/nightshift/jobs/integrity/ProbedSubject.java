package io.nightshift.jobs.integrity;

import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.RunContext;
import io.nightshift.jobs.integrity.Probe.Verdict;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The subject of a finding, to be looked for in restored backups.
 *
 * @param object {@code database.schema.relation}, with the constraint behind it where there is one
 */
record ProbedSubject(Check check, String object) {

    private static final Duration CATALOG_LIMIT = Duration.ofMinutes(5);

    /** A chunk of a copy need not be small: nobody waits for it. */
    private static final long BLOCKS = (1L << 30) / Piece.BLOCK;

    /** CONFIGURATION if there is none. */
    static ProbedSubject of(@Nullable String finding) {
        return Optional.ofNullable(finding)
                .flatMap(ProbedSubject::in)
                .orElseThrow(() ->
                        new NightshiftException(FailureKind.CONFIGURATION, "bisect-damage needs a finding", known()));
    }

    /** Empty if restored backups cannot show whether it is there. */
    static Optional<ProbedSubject> in(String finding) {
        String key = finding.replaceFirst("^" + Target.KEY + "node/[^/]+/", Target.KEY);
        String ofAnyNode = key.startsWith(IntegrityReport.NODE)
                ? Target.KEY + key.substring(IntegrityReport.NODE.length()).replaceFirst("^[^/]*/", "")
                : key;
        return Stream.of(Check.values())
                .filter(check -> ofAnyNode.startsWith(beginning(check)))
                .map(check -> new ProbedSubject(
                        check, ofAnyNode.substring(beginning(check).length())))
                .filter(subject -> !subject.object.isEmpty())
                .findFirst();
    }

    /** Which findings it takes. */
    static String known() {
        return "keys that it takes begin with "
                + Stream.of(Check.values()).map(ProbedSubject::beginning).collect(Collectors.joining(", "));
    }

    private static String beginning(Check check) {
        return Target.KEY + check + "/";
    }

    /** Of its finding. */
    String key() {
        return beginning(check) + object;
    }

    /** Looks for it in an open copy; a stopped run ends as such. */
    Probe lookIn(RestoredCopy copy, String backup, Duration limit, RunContext run) {
        List<String> databases = copy.databases(false).stream()
                .filter(name -> object.startsWith(name + "."))
                .toList();
        try {
            for (String database : databases) {
                try (CheckSession session = CheckSession.of(copy.connect(database), run.cancellation())) {
                    session.limit(CATALOG_LIMIT);
                    Amcheck.install(session);
                    if ((check == Check.HEAP || check.isOfIndex())
                            && Amcheck.in(session).isEmpty()) {
                        return Probe.notTestable(
                                "the servers of this machine lack the extension amcheck: install their contrib package");
                    }
                    Optional<Target> target = find(new Targets(session, database, database, true).read(true));
                    if (target.isPresent()) {
                        return look(target.get(), new JudgedServer.Probed(copy, backup), limit, run);
                    }
                }
            }
        } catch (SQLException e) {
            run.cancellation().check();
            return Probe.notTestable("its catalogs cannot be read: " + CheckFailure.message(e));
        }
        return Probe.of(Verdict.ABSENT);
    }

    /** What was a missing file on the node has pages in a copy, which are looked at then. */
    private Optional<Target> find(List<Target> targets) {
        List<Target> same = targets.stream()
                .filter(target -> target.toString().equals(object))
                .toList();
        return same.stream()
                .filter(target -> target.check() == check)
                .findFirst()
                .or(() -> same.stream()
                        .filter(target ->
                                check.looksForDamage() && target.check().looksForDamage())
                        .findFirst());
    }

    private static Probe look(Target target, JudgedServer server, Duration limit, RunContext run) throws SQLException {
        List<Piece> pieces = Piece.of(target, BLOCKS);
        Piece.begin(run.progress(), "check " + target + " in " + server, pieces);
        Outcome all = Outcome.PASS;
        try (PieceCheck looking =
                new PieceCheck(server, IntegritySettings.defaults().with(limit), run, null, () -> false)) {
            for (Piece piece : pieces) {
                all = all.with(looking.look(piece));
                piece.isDone(run.progress());
            }
        }
        if (all.failed() && !target.check().looksForDamage()) {
            return Probe.notTestable("failed on what is damaged: " + all.hits().get(0));
        }
        String gap = all.gap();
        if (all.count() == 0) {
            return gap == null ? Probe.of(Verdict.CLEAN) : Probe.notTestable(gap);
        }
        return Probe.damaged(
                all.count() == 1
                        ? all.hits().get(0).toString()
                        : all.count() + " found, first " + all.hits().get(0));
    }
}
