package io.nightshift.infra.health;

import io.nightshift.infra.postgres.Identifiers;

/** Whether a database sorts and hashes much on disk. */
final class TempFilesCheck extends DailyCheck {

    TempFilesCheck() {
        super("temp-files", "temp_bytes", "queries write many temporary files");
    }

    @Override
    boolean isMuch(long perDay, HealthSettings settings) {
        return perDay >= settings.tempFilesPerDay().bytes();
    }

    @Override
    String detail(Counted counted) {
        return "about " + Words.bytes(counted.perDay()) + " of temporary files a day, " + Words.bytes(counted.total());
    }

    @Override
    String remedy(Counted counted) {
        return "find the queries: ALTER SYSTEM SET log_temp_files = '100MB'; SELECT pg_reload_conf(); then an index for their"
                + " order, or more memory for their role: ALTER ROLE … IN DATABASE "
                + Identifiers.quoted(counted.database()) + " SET work_mem = '64MB'";
    }
}
