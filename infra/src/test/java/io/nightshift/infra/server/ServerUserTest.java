package io.nightshift.infra.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerUserTest {

    /** No file here belongs to this one. */
    private static final ServerUser.Account STRANGER = new ServerUser.Account(54_321, 54_321, "postgres");

    @TempDir
    Path directory;

    private static Optional<ServerUser.Account> unknown(String name) {
        return Optional.empty();
    }

    private static ServerUser stranger() {
        return ServerUser.choose(true, Path.of("/nowhere/data"), name -> Optional.of(STRANGER));
    }

    @Test
    void is_ourselves_when_we_are_not_root() {
        var user = ServerUser.choose(false, directory, ServerUserTest::unknown);

        assertThat(user.command(List.of("initdb"))).containsExactly("initdb");
        assertThat(user.barrier(directory)).isEmpty();
    }

    @Test
    void refuses_to_run_a_server_as_root_when_there_is_no_other_user() {
        assertThatThrownBy(() -> ServerUser.choose(true, Path.of("/nowhere/data"), ServerUserTest::unknown))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.CONFIGURATION))
                .hasMessage("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody");
    }

    @Test
    void prefers_postgres_to_nobody() {
        var user = ServerUser.choose(
                true,
                Path.of("/nowhere/data"),
                name -> Optional.of(new ServerUser.Account(name.equals("postgres") ? 101 : 65_534, 104, name)));

        assertThat(user).hasToString("postgres");
        assertThat(String.join(" ", user.command(List.of("initdb", "-D", "data"))))
                .containsPattern(
                        "^(setpriv --reuid=101 --regid=104 --clear-groups|runuser -u postgres --) initdb -D data$");
    }

    @Test
    void is_the_owner_of_an_existing_data_directory() {
        try (var postgres = TestPostgres.prepare(18, java.util.Map.of())) {
            var owner = ServerUser.choose(true, postgres.dataDirectory(), ServerUserTest::unknown);

            assertThat(owner).hasToString(ownerOf(postgres.dataDirectory()));
        }
    }

    @Test
    void stops_at_the_outermost_directory_that_it_may_not_enter() throws Exception {
        Path locked = Files.createDirectory(directory.resolve("locked"));
        Path inner = Files.createDirectories(locked.resolve("also-locked/data"));
        open(directory, "rwx--x--x");
        open(locked, "rwx------");
        open(inner.getParent(), "rwx------");

        assertThat(stranger().barrier(inner)).contains(locked);
        open(locked, "rwx-----x");
        assertThat(stranger().barrier(inner)).contains(inner.getParent());
        open(inner.getParent(), "rwx-----x");
        assertThat(stranger().barrier(inner)).isEmpty();
    }

    @Test
    void has_its_files_in_the_home_or_where_it_can_reach_them() throws Exception {
        Path home = Files.createDirectory(directory.resolve("home"));
        open(directory, "rwx--x--x");
        open(home, "rwx--x--x");
        assertThat(ServerHome.of(home, stranger())).isEqualTo(home);

        open(home, "rwx------");
        Path elsewhere = ServerHome.of(home, stranger());

        assertThat(elsewhere.toString()).matches("/var/lib/nightshift/[0-9a-f]{12}");
        assertThat(ServerHome.of(home, stranger())).isEqualTo(elsewhere);
        open(directory, "rwx------");
        assertThat(ServerHome.of(directory.resolve("other"), stranger())).isNotEqualTo(elsewhere);
        assertThat(ServerHome.of(home, ServerUser.choose(false, home, ServerUserTest::unknown)))
                .isEqualTo(home);
    }

    private static void open(Path directory, String permissions) throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(permissions));
    }

    private static String ownerOf(Path path) {
        try {
            return Files.getOwner(path).getName();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
