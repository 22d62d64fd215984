package io.nightshift.jobs.wal;

import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An archiver that is killed at moments that nobody chose, while what it works with breaks too. */
class WalArchiveOrdealTest {

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void loses_nothing_and_stores_nothing_twice_whenever_it_is_killed_and_whatever_else_breaks(int major)
            throws Exception {
        Seed seed = Seed.underTest().get(Seed.underTest().size() - 1);
        try (var ordeal = new ArchiveOrdeal(major, seed.random())) {
            for (int round = 0; round < Effort.of(2, 15); round++) {
                ordeal.kill();
            }

            ordeal.archiveTheRest();

            ordeal.assertNothingIsLost();
            ordeal.assertNoSlotWasAhead();
            if (Effort.number() >= 20) {
                ordeal.assertRecovers();
            }
        }
    }
}
