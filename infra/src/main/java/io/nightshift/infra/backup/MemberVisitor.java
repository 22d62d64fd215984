package io.nightshift.infra.backup;

import java.io.IOException;
import java.io.InputStream;

/** Receives the members of an archive. */
@FunctionalInterface
public interface MemberVisitor {

    /**
     * A member.
     *
     * @param content what it holds, valid during the call; need not be read to its end
     */
    void member(TarHeader header, InputStream content) throws IOException;
}
