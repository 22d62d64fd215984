package io.nightshift.infra.postgres;

/**
 * The version of a server as {@code server_version_num} gives it.
 *
 * @param number such as 180004 for 18.4
 */
public record PostgresVersion(int number) implements Comparable<PostgresVersion> {

    public static final int OLDEST_SUPPORTED_MAJOR = 15;
    public static final int NEWEST_SUPPORTED_MAJOR = 18;

    public static PostgresVersion parse(String serverVersionNum) {
        return new PostgresVersion(Integer.parseInt(serverVersionNum));
    }

    public int major() {
        return number / 10_000;
    }

    public int minor() {
        return number % 10_000;
    }

    public boolean isSupported() {
        return major() >= OLDEST_SUPPORTED_MAJOR && major() <= NEWEST_SUPPORTED_MAJOR;
    }

    @Override
    public int compareTo(PostgresVersion other) {
        return Integer.compare(number, other.number);
    }

    @Override
    public String toString() {
        return major() + "." + minor();
    }
}
