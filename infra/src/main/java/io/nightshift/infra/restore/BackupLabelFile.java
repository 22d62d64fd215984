package io.nightshift.infra.restore;

import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/** The file {@code backup_label}, which tells a server where recovery begins. */
final class BackupLabelFile {

    private BackupLabelFile() {}

    /** What it says of a backup that was merged with those before it: a server refuses to start on one that needs others. */
    static byte[] ofFull(byte[] label) {
        return new String(label, StandardCharsets.ISO_8859_1)
                .lines()
                .filter(line -> !line.startsWith("INCREMENTAL FROM "))
                .map(line -> line + "\n")
                .collect(Collectors.joining())
                .getBytes(StandardCharsets.ISO_8859_1);
    }
}
