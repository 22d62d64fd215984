package io.nightshift.infra.server;

import static io.nightshift.infra.postgres.PostgresVersion.NEWEST_SUPPORTED_MAJOR;
import static io.nightshift.infra.postgres.PostgresVersion.OLDEST_SUPPORTED_MAJOR;

import java.util.List;
import java.util.stream.IntStream;

/** The major versions that tests run on; for {@code @MethodSource}. */
public final class PostgresVersions {

    private PostgresVersions() {}

    /** The oldest and the newest, and with effort 20 all between. */
    public static List<Integer> underTest() {
        return IntStream.rangeClosed(OLDEST_SUPPORTED_MAJOR, NEWEST_SUPPORTED_MAJOR)
                .filter(major ->
                        Effort.number() >= 20 || major == OLDEST_SUPPORTED_MAJOR || major == NEWEST_SUPPORTED_MAJOR)
                .boxed()
                .toList();
    }

    /** The newest, and with effort 20 all: where a test is long and the version is not its point. */
    public static List<Integer> newestOrAll() {
        return Effort.number() >= 20 ? underTest() : List.of(NEWEST_SUPPORTED_MAJOR);
    }
}
