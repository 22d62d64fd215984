package io.nightshift.jobs.integrity;

import static io.nightshift.jobs.integrity.Probe.Verdict.ABSENT;
import static io.nightshift.jobs.integrity.Probe.Verdict.CLEAN;
import static io.nightshift.jobs.integrity.Probe.Verdict.DAMAGED;
import static io.nightshift.jobs.integrity.Probe.Verdict.NOT_TESTABLE;
import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.jobs.integrity.Probe.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DamageSearchTest {

    private final List<Integer> probed = new ArrayList<>();

    /** Probes until all is known, where the newest so many are damaged and some cannot be tested. */
    private DamageSearch search(int backups, int damaged, Set<Integer> notTestable) {
        return search(backups, damaged, notTestable, CLEAN);
    }

    private DamageSearch search(int backups, int damaged, Set<Integer> notTestable, Verdict older) {
        List<Optional<Verdict>> seen = new ArrayList<>(Collections.nCopies(backups, Optional.empty()));
        for (OptionalInt next = new DamageSearch(seen).next(); next.isPresent(); next = new DamageSearch(seen).next()) {
            int backup = next.getAsInt();
            probed.add(backup);
            seen.set(
                    backup,
                    Optional.of(notTestable.contains(backup) ? NOT_TESTABLE : backup < damaged ? DAMAGED : older));
        }
        return new DamageSearch(seen);
    }

    @Test
    void the_border_is_found_wherever_it_is_with_few_probes() {
        for (int backups = 1; backups <= 40; backups++) {
            for (int damaged = 0; damaged <= backups; damaged++) {
                probed.clear();

                DamageSearch search = search(backups, damaged, Set.of());

                assertThat(search.clean())
                        .isEqualTo(damaged == backups ? OptionalInt.empty() : OptionalInt.of(damaged));
                assertThat(search.damaged())
                        .isEqualTo(damaged == 0 ? OptionalInt.empty() : OptionalInt.of(damaged - 1));
                assertThat(probed).doesNotHaveDuplicates().hasSizeLessThanOrEqualTo(BisectReport.atMost(backups));
            }
        }
    }

    @Test
    void where_the_newest_is_clean_no_other_is_probed() {
        assertThat(search(7, 0, Set.of()).clean()).hasValue(0);
        assertThat(probed).containsExactly(0);
    }

    @Test
    void what_cannot_be_tested_is_passed_over_and_known_as_such_where_it_matters() {
        DamageSearch search = search(9, 4, Set.of(0, 3, 4, 7));

        assertThat(search.damaged()).hasValue(2);
        assertThat(search.clean()).hasValue(5);
        assertThat(search.unknown()).containsExactly(3, 4);
    }

    @Test
    void where_nothing_can_be_tested_all_are_unknown() {
        DamageSearch search = search(3, 1, Set.of(0, 1, 2));

        assertThat(search.damaged()).isEmpty();
        assertThat(search.clean()).isEmpty();
        assertThat(search.unknown()).containsExactly(0, 1, 2);
    }

    @Test
    void a_backup_without_the_subject_is_older_than_the_damage() {
        assertThat(search(8, 3, Set.of(), ABSENT).damaged()).hasValue(2);
    }
}
