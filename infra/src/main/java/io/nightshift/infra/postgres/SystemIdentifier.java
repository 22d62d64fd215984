package io.nightshift.infra.postgres;

/**
 * The number that initdb gave a cluster; every node of the cluster has it, and a foreign server does not.
 *
 * @param id unsigned 64-bit number
 */
public record SystemIdentifier(long id) {

    public static SystemIdentifier parse(String decimal) {
        return new SystemIdentifier(Long.parseUnsignedLong(decimal));
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(id);
    }
}
