package io.nightshift.infra.server;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damages good bytes as disks, networks and enemies do: flips, cuts, repeats, splices, and sets lengths to extremes. */
public final class Mutations {

    private static final List<Integer> EXTREMES =
            List.of(0, 1, 3, 4, 5, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE - 8, 1 << 24, 1 << 30);

    private final Random random;

    public Mutations(Random random) {
        this.random = random;
    }

    /** One to four damages of the first; spliced ones with bytes of the second. */
    public byte[] of(byte[] good, byte[] other) {
        byte[] bytes = good.clone();
        for (int count = random.nextInt(4); count >= 0; count--) {
            bytes = one(bytes, other);
        }
        return bytes;
    }

    private byte[] one(byte[] bytes, byte[] other) {
        if (bytes.length < 8) {
            return other.clone();
        }
        int at = random.nextInt(bytes.length - 4);
        int length = random.nextInt(Math.min(600, bytes.length - at));
        switch (random.nextInt(6)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt(256);
            case 2 -> ByteBuffer.wrap(bytes).putInt(at, EXTREMES.get(random.nextInt(EXTREMES.size())));
            case 3 -> bytes = Arrays.copyOf(bytes, at);
            case 4 -> bytes = spliced(bytes, at, Arrays.copyOfRange(bytes, at, at + length), at);
            default -> {
                int from = random.nextInt(other.length);
                int to = Math.min(other.length, from + random.nextInt(600));
                bytes = spliced(bytes, at, Arrays.copyOfRange(other, from, to), at + length);
            }
        }
        return bytes;
    }

    private static byte[] spliced(byte[] bytes, int until, byte[] middle, int from) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, until);
        out.writeBytes(middle);
        out.write(bytes, from, bytes.length - from);
        return out.toByteArray();
    }
}
