package io.nightshift.infra.incremental;

import io.nightshift.infra.replication.ManifestChecksum;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;

/**
 * A keyed hash of 128 bits of a page of {@value RelationSegment#BLOCK_SIZE} bytes: two rows of NH, whose keys are shifted
 * against each other (Black, Halevi, Krawczyk, Krovetz, Rogaway, "UMAC", CRYPTO 1999). Two different pages have the same
 * hash with a probability of at most 2^-64, whatever is in them, as long as those who write them do not know the key: it is
 * drawn for each full backup and lies only in the storage. If it happened, the old page would be restored in place of the
 * new one. A cluster in which a thousand million pages (8 TB) change a day comes to one such page in fifty million years.
 *
 * <p>A cryptographic hash would give no better promise that matters, at a quarter of the rate, and at a thirtieth where the
 * JVM does not optimise. Thread-safe.
 */
final class BlockHash {

    /** Bytes that the key is made of. */
    static final int SEED_BYTES = 32;

    /** Of one hash. */
    static final int BYTES = 16;

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int WORDS = RelationSegment.BLOCK_SIZE / Long.BYTES;
    private static final long HALF = 0xFFFF_FFFFL;

    private final long[] key = new long[WORDS + 1];

    BlockHash(byte[] seed) {
        MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
        for (int word = 0, counter = 0; word < key.length; counter++) {
            sha256.update(seed);
            sha256.update((byte) counter);
            sha256.update((byte) (counter >>> 8));
            ByteBuffer next = ByteBuffer.wrap(sha256.digest());
            while (next.hasRemaining() && word < key.length) {
                key[word++] = next.getLong();
            }
        }
    }

    /** Puts the hash of the page at an offset into two elements. */
    void hash(byte[] bytes, int offset, long[] into, int at) {
        long even = 0;
        long odd = 0;
        long shiftedEven = 0;
        long shiftedOdd = 0;
        long first = key[0];
        for (int word = 0; word < WORDS; word += 2) {
            long second = key[word + 1];
            long third = key[word + 2];
            long one = (long) LONGS.get(bytes, offset + word * Long.BYTES);
            long two = (long) LONGS.get(bytes, offset + (word + 1) * Long.BYTES);
            even += product(one, first);
            shiftedEven += product(one, second);
            odd += product(two, second);
            shiftedOdd += product(two, third);
            first = third;
        }
        into[at] = even + odd;
        into[at + 1] = shiftedEven + shiftedOdd;
    }

    /** Of the halves, each with its half of the key added. */
    private static long product(long word, long key) {
        return ((word + key) & HALF) * (((word >>> 32) + (key >>> 32)) & HALF);
    }
}
