package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Whether pages have checksums; without them nobody notices that a disk has changed them. */
final class DataChecksumsCheck extends SqlCheck {

    DataChecksumsCheck() {
        super("data-checksums", Where.PRIMARY, "data checksums are off");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        boolean on = session.single("SELECT current_setting('data_checksums') = 'on'", row -> row.getBoolean(1));
        return on
                ? List.of()
                : List.of(warning(
                        session.address(),
                        "data checksums are off: pages that a disk or memory has changed are not noticed",
                        "at the next maintenance stop every server of the cluster and run pg_checksums --enable -D on"
                                + " each data directory"));
    }
}
