package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.ServerNotice;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts the archives and the manifest of a base backup into a directory, as they come. */
class DirectoryReceiver implements BaseBackupReceiver {

    final List<ServerNotice> notices = new ArrayList<>();
    final List<Long> progress = new ArrayList<>();
    final Map<String, String> archives = new LinkedHashMap<>();
    private final Path directory;
    private BackupStart start;
    private OutputStream out = OutputStream.nullOutputStream();
    private long bytes;

    DirectoryReceiver(Path directory) {
        this.directory = directory;
    }

    BackupStart start() {
        return start;
    }

    long bytes() {
        return bytes;
    }

    Path manifestFile() {
        return directory.resolve("backup_manifest");
    }

    @Override
    public void started(BackupStart backupStart) {
        start = backupStart;
    }

    @Override
    public void archive(String name, String location) {
        archives.put(name, location);
        switchTo(directory.resolve(name));
    }

    @Override
    public void data(byte[] buffer, int offset, int length) {
        write(buffer, offset, length);
        bytes += length;
    }

    @Override
    public void manifest(byte[] buffer, int offset, int length) {
        if (!Files.exists(manifestFile())) {
            switchTo(manifestFile());
        }
        write(buffer, offset, length);
    }

    @Override
    public void progress(long bytesDone) {
        progress.add(bytesDone);
    }

    @Override
    public void notice(ServerNotice notice) {
        notices.add(notice);
    }

    /** Completes the last file. */
    void finish() {
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void switchTo(Path file) {
        try {
            out.close();
            out = Files.newOutputStream(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(byte[] buffer, int offset, int length) {
        try {
            out.write(buffer, offset, length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
