package io.nightshift.infra.restore;

import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Another process that exports a backup, to be killed, or to run out of space. */
final class ExportChild {

    private ExportChild() {}

    public static void main(String[] arguments) {
        List<Storage> storages = List.of(new DirectoryStorage("near", Path.of(arguments[0])));
        var copies = BackupCopies.of(Backups.find(storages, arguments[1]), storages);
        try {
            new PlainExport(copies, Path.of(arguments[2]), Map.of("16575", Path.of(arguments[3])))
                    .run(2, new Progress(), new Cancellation());
        } catch (NightshiftException failed) {
            System.out.println(failed.explained());
            System.exit(failed.kind().exitStatus());
        }
    }
}
