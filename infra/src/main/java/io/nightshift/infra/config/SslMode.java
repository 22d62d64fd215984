package io.nightshift.infra.config;

/** How a connection is secured: libpq's sslmode, see "SSL Support" of libpq in the PostgreSQL manual. */
public enum SslMode {
    DISABLE,
    ALLOW,
    PREFER,
    REQUIRE,
    VERIFY_CA,
    VERIFY_FULL;

    /** The word that libpq and the JDBC driver read. */
    public String value() {
        return Names.kebab(name());
    }
}
