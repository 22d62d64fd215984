package io.nightshift.infra.server;

import com.github.dockerjava.api.exception.NotFoundException;
import io.nightshift.infra.postgres.PostgresVersion;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * A fresh, empty database for tests that need nothing but one: they may neither kill its server nor look at its files. The
 * server is in a container if a Docker engine answers and has the image, else a {@link TestPostgres}; one for all tests of
 * a JVM, gone with it. {@code NIGHTSHIFT_TEST_IMAGE} (environment or system property) names another image than
 * {@code postgres:18}; an image that was named is fetched, and must work.
 */
public record DatabaseUrl(String url, String username, String password) {

    private static final String IMAGE = "NIGHTSHIFT_TEST_IMAGE";
    private static final String DEFAULT_IMAGE = "postgres:" + PostgresVersion.NEWEST_SUPPORTED_MAJOR;
    private static final AtomicInteger LAST = new AtomicInteger();

    public static DatabaseUrl fresh() {
        DatabaseUrl server = ServerHolder.SERVER;
        String name = "test_" + LAST.incrementAndGet();
        try (Connection connection = server.connect()) {
            connection.createStatement().execute("CREATE DATABASE " + name);
        } catch (SQLException e) {
            throw new IllegalStateException("could not create database " + name + " on " + server.url(), e);
        }
        return new DatabaseUrl(
                server.url().replaceFirst("/[^/?]+(\\?|$)", "/" + name + "$1"), server.username(), server.password());
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection(url, username, password);
    }

    private static DatabaseUrl start() {
        Optional<String> named = Optional.ofNullable(System.getProperty(IMAGE, System.getenv(IMAGE)));
        if (DockerClientFactory.instance().isDockerAvailable() && (named.isPresent() || isPresent(DEFAULT_IMAGE))) {
            return container(named.orElse(DEFAULT_IMAGE));
        }
        TestPostgres postgres =
                TestPostgres.start(PostgresVersion.NEWEST_SUPPORTED_MAJOR, Map.of("max_connections", "200"));
        atExit(postgres::close);
        System.out.println("databases of tests that need only a URL: " + postgres.server());
        return new DatabaseUrl(postgres.url("postgres"), postgres.username(), postgres.password());
    }

    /** An image is not fetched unasked: without a registry, that takes minutes to fail. */
    private static boolean isPresent(String image) {
        try {
            DockerClientFactory.instance().client().inspectImageCmd(image).exec();
            return true;
        } catch (NotFoundException e) {
            return false;
        }
    }

    private static DatabaseUrl container(String image) {
        PostgreSQLContainer container =
                new PostgreSQLContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("postgres"));
        container.start();
        atExit(container::stop);
        System.out.println("databases of tests that need only a URL: container of " + image);
        return new DatabaseUrl(container.getJdbcUrl(), container.getUsername(), container.getPassword());
    }

    private static void atExit(Runnable end) {
        Runtime.getRuntime().addShutdownHook(new Thread(end, "end of the tests' database server"));
    }

    private static final class ServerHolder {

        static final DatabaseUrl SERVER = start();
    }
}
