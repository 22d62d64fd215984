package io.nightshift.jobs.verify;

import io.nightshift.infra.wal.WalCopy;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** One storage's object of the WAL archive. */
record WalReading(WalCopy wal, WalCopy.Item item) implements Reading {

    @Override
    public String storage() {
        return wal.storage().name();
    }

    @Override
    public long bytes() {
        return item.stored().bytes();
    }

    @Override
    public Instant storedAt() {
        return item.stored().modifiedAt();
    }

    @Override
    public @Nullable Instant readAt() {
        return item.readAt();
    }

    @Override
    public boolean wasReadWhenStored() {
        return false;
    }
}
