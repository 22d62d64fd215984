package io.nightshift.infra.backup;

import java.util.List;

/**
 * What reading a backup back has shown.
 *
 * @param storedBytes read
 * @param files whose content matched the manifest
 */
public record Verification(String storage, BackupLabel label, long storedBytes, long files, List<Damage> damages) {

    public boolean isSound() {
        return damages.isEmpty();
    }
}
