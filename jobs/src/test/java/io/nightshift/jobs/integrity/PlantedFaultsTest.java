package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.Effort;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fault that can be seen is found once, and a database full of odd objects is left in peace. */
class PlantedFaultsTest {

    private static String keyOfAnyNode(Finding finding) {
        return finding.key().replaceFirst("^integrity/node/[^/]*/", "integrity/");
    }

    /** What amcheck does not go on behind, and what is not checked at all. */
    private static List<String> gaps(int major) {
        return switch (major) {
            case 15, 16 -> List.of();
            case 17 -> List.of("faulty.public.doubled (2 checks)");
            default -> List.of("faulty.public.doubled (2 checks)", "faulty.public.stay_pkey");
        };
    }

    private static void isFoundAlone(TestCluster cluster, int major, String table) {
        PlantedFaults.isolate(cluster.postgres(), table);

        assertThat(JobRun.of(new IntegrityValidationJobType(), cluster, IntegritySettings.defaults())
                        .attempt()
                        .completed()
                        .report()
                        .findings())
                .as(table + " alone")
                .extracting(PlantedFaultsTest::keyOfAnyNode)
                .containsExactlyInAnyOrderElementsOf(PlantedFaults.keys(major, table));
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void each_fault_is_found_once_and_what_is_odd_is_no_fault(int major) {
        try (TestCluster cluster = TestCluster.on(PlantedFaults.start(major))) {
            JobReport report = JobRun.of(
                            new IntegrityValidationJobType(),
                            cluster,
                            IntegrityValidationTest.settings(Map.of("deep", major >= 18)))
                    .attempt()
                    .completed()
                    .report();

            assertThat(report.findings().stream().map(PlantedFaultsTest::keyOfAnyNode))
                    .containsExactlyInAnyOrderElementsOf(PlantedFaults.keys(major));
            Map<String, String> details = new TreeMap<>();
            report.findings().forEach(finding -> details.put(finding.subject(), finding.detail()));
            String where = " (primary 127.0.0.1:" + cluster.postgres().port() + ")";
            assertThat(details)
                    .containsEntry(
                            "faulty.public.pair.pair_a_b_fkey", "id 3 at (0,3): a 1, b 2 not in public.mother" + where)
                    .containsEntry(
                            "faulty.public.half.half_a_b_fkey",
                            "id 3 at (0,3): a 1, b null not in public.mother" + where)
                    .containsEntry("faulty.public.checked.above", "id 2 at (0,2): not (n > 0)" + where)
                    .containsEntry("faulty.public.domained.n.halves", "id 2 at (0,2): n not ((VALUE % 2) = 0)" + where)
                    .containsEntry("faulty.public.bounded1", "id 99 at (0,2): not FOR VALUES FROM (0) TO (10)" + where)
                    .containsEntry(
                            "faulty.public.booked.booked_during_excl",
                            "2 found: id 1 at (0,1): excludes that at (0,2); id 2 at (0,2): excludes that at (0,1)"
                                    + where)
                    .containsEntry("faulty.public.hollow", "row at (0,2): v null" + where)
                    .containsEntry("faulty.public.doubled_code", "lower(code) a: occurs 2 times" + where)
                    .containsEntry("faulty.public.doubled_n", "n null: occurs 2 times" + where);
            assertThat(details.get("faulty.public.orphan.orphan_mother_fkey"))
                    .startsWith("7 found: id 2001 at ")
                    .endsWith("; and 2 more" + where);
            assertThat(details.get("faulty.public.torn")).contains("block 1, line pointer 3: ");
            assertThat(report.findings())
                    .filteredOn(finding -> finding.key().startsWith("integrity/check-constraint/"))
                    .extracting(Finding::severity)
                    .containsExactlyInAnyOrder(Severity.ERROR, Severity.WARNING);
            assertThat(report.exitStatus()).isEqualTo(3);
            assertThat(report.notEvaluated())
                    .filteredOn(gap -> !gap.reason().contains("damaged: "))
                    .extracting(NotEvaluated::subject)
                    .containsExactlyInAnyOrderElementsOf(gaps(major));
            assertThat(report.notEvaluated())
                    .filteredOn(gap -> gap.reason().contains("damaged: "))
                    .extracting(gap -> gap.subject().replaceAll(" .*", ""))
                    .containsOnly("faulty.public.torn", "faulty.public.gone", "faulty.public.lost");
            cluster.awaitNoTraces();
            PlantedFaults.tables(major).stream()
                    .limit(Effort.of(0, 100))
                    .forEach(table -> isFoundAlone(cluster, major, table));
        }
    }
}
