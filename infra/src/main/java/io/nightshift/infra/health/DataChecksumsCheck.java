package io.nightshift.infra.health;

import io.nightshift.infra.postgres.Capability;
import java.util.List;

/** Whether pages have checksums; without them nobody notices that a disk has changed them. */
final class DataChecksumsCheck extends SqlCheck {

    DataChecksumsCheck() {
        super("data-checksums", Where.PRIMARY, "data checksums are off");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) {
        return session
                .facts()
                .lack(Capability.DATA_CHECKSUMS)
                .<HealthResult>map(lack -> warning(
                        session.address(),
                        lack.fact() + ": pages that a disk or memory has changed are not noticed",
                        lack.remedy()))
                .stream()
                .toList();
    }
}
