package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.NightshiftException;
import java.nio.file.Path;

/** Another process that writes one object; the tests limit it, or let it die half-way. */
final class StorageChild {

    static final int BYTES = 1 << 20;

    private StorageChild() {}

    public static void main(String[] arguments) {
        var storage = new DirectoryStorage("local", Path.of(arguments[0]));
        try (StoredObjectWriter writer =
                arguments.length > 1 ? storage.replace("folder/object") : storage.create("folder/object")) {
            writer.write(new byte[BYTES]);
            writer.commit();
        } catch (NightshiftException failed) {
            System.out.println(failed.explained());
            System.exit(failed.kind().exitStatus());
        }
    }
}
