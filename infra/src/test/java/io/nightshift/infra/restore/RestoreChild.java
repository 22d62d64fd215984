package io.nightshift.infra.restore;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.DirectoryStorage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Another process that restores a backup, to be killed, or to run out of space. */
final class RestoreChild {

    private RestoreChild() {}

    /** The storage, the label, the directory, that of the tablespace, and whether it is written over. */
    public static void main(String[] arguments) {
        var destination = new Restore.Destination(
                Path.of(arguments[2]),
                Map.of("16575", Path.of(arguments[3])),
                Boolean.parseBoolean(arguments[4]),
                false);
        try {
            Restores.of(List.of(new DirectoryStorage("near", Path.of(arguments[0]))), arguments[1], destination)
                    .run(2, new Progress(), new Cancellation());
        } catch (NightshiftException failed) {
            System.out.println(failed.explained());
            System.exit(failed.kind().exitStatus());
        }
    }
}
