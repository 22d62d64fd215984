package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;

/** Finds the members in a tar that arrives in pieces of any size. Every byte is handed on exactly once, in order. */
final class TarScanner {

    /** Who wants to know. */
    interface Listener {

        /** A member begins; its header block must be copied if it is kept. */
        void header(TarHeader header, long offset, byte[] block);

        /** Content of the member. */
        void content(byte[] bytes, int offset, int length);

        /** Padding, or the zero blocks at the end. */
        void filler(byte[] bytes, int offset, int length);

        /** All content of the member has passed. */
        void memberEnd();
    }

    private final String what;
    private final Listener listener;
    private final byte[] block = new byte[TarHeader.BLOCK];
    private int inBlock;
    private long content;
    private int padding;
    private int zeroBlocks;
    private long position;

    /** @param what is scanned, for messages: "archive base.tar" */
    TarScanner(String what, Listener listener) {
        this.what = what;
        this.listener = listener;
    }

    /** Bytes seen so far. */
    long position() {
        return position;
    }

    boolean isComplete() {
        return zeroBlocks == 2;
    }

    void accept(byte[] bytes, int offset, int length) {
        int at = offset;
        int end = offset + length;
        while (at < end) {
            int taken = take(bytes, at, end - at);
            at += taken;
            position += taken;
        }
    }

    /**
     * So many bytes are lost. False if they were more than the rest of the present member: then nobody knows where the
     * tar goes on, and this scanner is of no further use.
     */
    boolean lose(long count) {
        if (count > content + padding) {
            return false;
        }
        long ofContent = Math.min(count, content);
        boolean ends = ofContent > 0 && ofContent == content;
        content -= ofContent;
        padding -= (int) (count - ofContent);
        position += count;
        if (ends) {
            listener.memberEnd();
        }
        return true;
    }

    /** The tar has ended; DATA_DAMAGED unless it ended as tars do. */
    void finish() {
        if (!isComplete()) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    what + " ends after " + position + " bytes, before its end marker of two zero blocks");
        }
    }

    private int take(byte[] bytes, int at, int available) {
        if (content > 0) {
            int count = (int) Math.min(content, available);
            listener.content(bytes, at, count);
            content -= count;
            if (content == 0) {
                listener.memberEnd();
            }
            return count;
        }
        if (padding > 0) {
            int count = Math.min(padding, available);
            listener.filler(bytes, at, count);
            padding -= count;
            return count;
        }
        int count = Math.min(TarHeader.BLOCK - inBlock, available);
        System.arraycopy(bytes, at, block, inBlock, count);
        inBlock += count;
        if (inBlock == TarHeader.BLOCK) {
            inBlock = 0;
            endBlock(position + count - TarHeader.BLOCK);
        }
        return count;
    }

    private void endBlock(long offset) {
        boolean zero = TarHeader.isZero(block);
        if (!zero && zeroBlocks > 0) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED, what + " goes on at byte " + offset + " after a zero block");
        }
        if (zero) {
            zeroBlocks = Math.min(2, zeroBlocks + 1);
            listener.filler(block, 0, TarHeader.BLOCK);
            return;
        }
        TarHeader header = TarHeader.parse(block, what + " at byte " + offset);
        content = header.size();
        padding = (int) (TarHeader.padded(header.size()) - header.size());
        listener.header(header, offset, block);
        if (content == 0) {
            listener.memberEnd();
        }
    }
}
