package io.nightshift.infra.restore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.replication.TestManifest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlainManifestTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tablespace_map backup_label base/5/1",
                "backup_label tablespace_map base/5/1",
                "backup_label base/5/1 tablespace_map",
                "backup_label base/tablespace_map"
            })
    void leaves_all_but_the_tablespace_map_as_it_was(String paths) throws IOException {
        List<String> all = List.of(paths.split(" "));
        byte[] manifest = manifest(all);

        var out = new ByteArrayOutputStream();
        PlainManifest.withoutTablespaceMap(new ByteArrayInputStream(manifest), out);

        List<String> rest =
                all.stream().filter(path -> !path.equals("tablespace_map")).toList();
        assertThat(BackupManifest.parse(new ByteArrayInputStream(out.toByteArray()))
                        .files())
                .extracting(ManifestFile::path)
                .containsExactlyElementsOf(rest);
        assertThat(out.toString(UTF_8)).isEqualTo(new String(manifest(rest), UTF_8));
    }

    private static byte[] manifest(List<String> paths) {
        var manifest = new TestManifest("7711071849857489922");
        paths.forEach(path -> manifest.file(path.getBytes(UTF_8), new byte[3], ManifestChecksum.CRC32C));
        return manifest.bytes();
    }
}
