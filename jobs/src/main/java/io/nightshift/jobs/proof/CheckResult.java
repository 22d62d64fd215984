package io.nightshift.jobs.proof;

import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Severity;
import java.util.ArrayList;
import java.util.List;

/**
 * What the checks of a copy have found.
 *
 * @param catalogs relations of the system catalogs that were read, in all databases
 * @param tables whose pages were read and compared with their visibility maps, with materialized views and TOAST tables
 * @param indexes that were compared with their tables
 * @param counted tables whose rows an index counted like the table itself
 * @param assertions that were asked
 * @param compared tables and closed ranges whose rows were compared with the source's
 * @param reachedAll whether there was time for all
 */
record CheckResult(
        int databases,
        long catalogs,
        long tables,
        long indexes,
        long counted,
        int assertions,
        int compared,
        boolean reachedAll,
        List<Wrong> wrong,
        List<NotEvaluated> notEvaluated) {

    static final CheckResult NONE = new CheckResult(0, 0, 0, 0, 0, 0, 0, true, List.of(), List.of());

    /**
     * One thing that is wrong in the copy.
     *
     * @param check {@code catalog}, {@code heap}, {@code visibility}, {@code index}, {@code count}, {@code rows} or
     *     {@code assertion}
     * @param subject {@code database.schema.relation}, or the database of an assertion
     * @param object what makes it the same finding every night
     */
    record Wrong(String check, Severity severity, String subject, String object, String detail) {

        static Wrong damage(String check, String subject, String detail) {
            return new Wrong(check, Severity.CRITICAL, subject, subject, detail);
        }
    }

    CheckResult {
        wrong = List.copyOf(wrong);
        notEvaluated = List.copyOf(notEvaluated);
    }

    /** The same with what was found by comparing rows with the source's. */
    CheckResult with(int rowsCompared, boolean reached, List<Wrong> moreWrong, List<NotEvaluated> more) {
        List<Wrong> allWrong = new ArrayList<>(wrong);
        allWrong.addAll(moreWrong);
        List<NotEvaluated> all = new ArrayList<>(notEvaluated);
        all.addAll(more);
        return new CheckResult(
                databases,
                catalogs,
                tables,
                indexes,
                counted,
                assertions,
                rowsCompared,
                reachedAll && reached,
                allWrong,
                all);
    }
}
