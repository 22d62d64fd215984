package io.nightshift.infra.wal;

import java.io.InputStream;
import java.util.Arrays;

/** So many bytes that are all zero. */
final class Zeros extends InputStream {

    private long left;

    Zeros(long length) {
        this.left = length;
    }

    @Override
    public int read() {
        if (left == 0) {
            return -1;
        }
        left--;
        return 0;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
        int count = left == 0 ? -1 : (int) Math.min(length, left);
        if (count > 0) {
            Arrays.fill(bytes, offset, offset + count, (byte) 0);
            left -= count;
        }
        return count;
    }
}
