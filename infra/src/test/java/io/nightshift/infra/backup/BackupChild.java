package io.nightshift.infra.backup;

import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.nio.file.Path;

/** Another process that writes one backup into two directories; the tests let it die half-way. */
final class BackupChild {

    static final String LABEL = "20261122T010000Z-full-dead";

    private BackupChild() {}

    public static void main(String[] arguments) {
        Backups.publish(
                StorageSet.of(
                        new DirectoryStorage("near", Path.of(arguments[0])),
                        new DirectoryStorage("far", Path.of(arguments[1]))),
                LABEL);
    }
}
