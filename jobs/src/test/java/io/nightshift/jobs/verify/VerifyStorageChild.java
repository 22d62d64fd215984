package io.nightshift.jobs.verify;

import java.nio.file.Path;

/** Another process that reads back and repairs everything; the tests let it die. */
final class VerifyStorageChild {

    private VerifyStorageChild() {}

    public static void main(String[] directory) {
        StoredCluster.run(StoredCluster.attach(Path.of(directory[0])), StoredCluster.ALL)
                .attempt()
                .completed();
    }
}
