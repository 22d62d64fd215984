package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.ServerNotice;
import java.util.ArrayList;
import java.util.List;

/** Counts and forgets. */
class NullReceiver implements BaseBackupReceiver {

    final List<ServerNotice> notices = new ArrayList<>();
    long bytes;
    long calls;

    @Override
    public void started(BackupStart start) {}

    @Override
    public void archive(String name, String location) {}

    @Override
    public void data(byte[] buffer, int offset, int length) {
        bytes += length;
        calls++;
    }

    @Override
    public void manifest(byte[] buffer, int offset, int length) {}

    @Override
    public void notice(ServerNotice notice) {
        notices.add(notice);
    }
}
