package io.nightshift.infra.backup;

import java.util.List;

/**
 * What reading a backup back has shown.
 *
 * @param storedBytes read
 * @param files whose content matched the manifest
 * @param digestDamages of what only the next backup needs: this one can be restored, but not built on
 */
public record Verification(
        String storage,
        BackupLabel label,
        long storedBytes,
        long files,
        List<Damage> damages,
        List<Damage> digestDamages) {

    public Verification(String storage, BackupLabel label, long storedBytes, long files, List<Damage> damages) {
        this(storage, label, storedBytes, files, damages, List.of());
    }

    /** Whether it can be restored. */
    public boolean isSound() {
        return damages.isEmpty();
    }
}
