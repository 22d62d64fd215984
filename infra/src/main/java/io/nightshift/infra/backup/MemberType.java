package io.nightshift.infra.backup;

import java.util.Optional;

/** What a member of an archive is; a server sends nothing else. */
public enum MemberType {
    FILE('0'),
    DIRECTORY('5'),
    LINK('2');

    private final char flag;

    MemberType(char flag) {
        this.flag = flag;
    }

    /** Its type flag in tar headers and in the index. */
    int flag() {
        return flag;
    }

    static Optional<MemberType> of(int flag) {
        for (MemberType type : values()) {
            if (type.flag == flag || (type == FILE && flag == 0)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
