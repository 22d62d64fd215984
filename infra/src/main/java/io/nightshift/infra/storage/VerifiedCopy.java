package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The repair of an object from another storage: it takes the place of what is there only after its bytes, on their way, had
 * the SHA-256 that they should have.
 *
 * @param sha256 hexadecimal
 * @param lastCheck runs before it is done; throws if somebody else is at it by now
 */
public record VerifiedCopy(String object, String sha256, Cancellation cancellation, Runnable lastCheck) {

    private static final int PIECE = 1 << 18;

    /** Whether the bytes were right, and are now in the other storage. If they were not, nothing has changed. */
    public boolean replace(Storage from, Storage to) {
        MessageDigest found = digest();
        byte[] piece = new byte[PIECE];
        try (InputStream in = from.open(object);
                StoredObjectWriter out = to.replace(object)) {
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                cancellation.check();
                found.update(piece, 0, count);
                out.write(piece, 0, count);
            }
            if (!HexFormat.of().formatHex(found.digest()).equals(sha256)) {
                return false;
            }
            lastCheck.run();
            out.commit();
            CrashPoint.reach("verify.object-replaced");
            return true;
        } catch (IOException failed) {
            throw StorageFailures.unreadable(from, object, failed);
        } catch (NightshiftException failed) {
            if (StorageFailures.isMissing(failed)) {
                return false;
            }
            throw failed;
        }
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException none) {
            throw new IllegalStateException(none);
        }
    }
}
