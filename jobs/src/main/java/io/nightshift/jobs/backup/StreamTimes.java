package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.StreamWaits;
import java.time.Duration;
import java.time.Instant;

/**
 * When a base backup came.
 *
 * @param asked when the server was asked for it
 * @param began when its checkpoint was done and the first bytes were about to come
 * @param ended when everything was durable in the storages
 * @param waits what limited it
 */
record StreamTimes(Instant asked, Instant began, Instant ended, StreamWaits waits) {

    Duration checkpoint() {
        return Duration.between(asked, began);
    }

    Duration stream() {
        return Duration.between(began, ended);
    }
}
