package io.nightshift.infra.server;

import java.util.Map;
import java.util.TreeMap;

/** One server per major version for all tests of a class, started when first asked for. */
public final class Servers implements AutoCloseable {

    private final Map<Integer, TestPostgres> running = new TreeMap<>();
    private final Map<String, String> settings;

    public Servers(Map<String, String> settings) {
        this.settings = settings;
    }

    public TestPostgres of(int major) {
        return running.computeIfAbsent(major, version -> TestPostgres.start(version, settings));
    }

    @Override
    public void close() {
        running.values().forEach(TestPostgres::close);
    }
}
