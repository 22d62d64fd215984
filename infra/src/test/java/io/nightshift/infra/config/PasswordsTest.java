package io.nightshift.infra.config;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PasswordsTest {

    private static final NodeAddress DB1 = new NodeAddress("db1", 5432);

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "db1:5432:app:me:secret            | secret",
                "*:*:*:*:secret                    | secret",
                "db1:*:app:me:a\\:b\\\\c           | a:b\\c",
                "db1:5432:app:me:secret:comment    | secret",
                "db1:5432:app:me:with space        | with space",
                "db2:5432:app:me:secret            |",
                "db1:5433:app:me:secret            |",
                "db1:5432:other:me:secret          |",
                "db1:5432:app:you:secret           |",
                "#db1:5432:app:me:secret           |",
                "db1:5432:app:me:                  |",
                "db1:5432:app:me                   |",
                "\\*:5432:app:me:secret            |",
                "DB1:5432:app:me:secret            |",
                "db1:5432:app:m\\e:secret          | secret"
            })
    void matches_a_line_as_libpq_does(String line, @Nullable String password) throws IOException {
        Passwords passwords = file(line + "\n", "rw-------");

        assertThat(passwords.of(cluster(null), DB1, "app"))
                .isEqualTo(Optional.ofNullable(password).map(Secret::new));
    }

    @Test
    void takes_the_first_line_that_matches() throws IOException {
        Passwords passwords = file("\n# x\ndb2:*:*:*:no\ndb1:*:*:*:yes\n*:*:*:*:later\n", "rw-------");

        assertThat(passwords.of(cluster(null), DB1, "app")).contains(new Secret("yes"));
    }

    @Test
    void finds_an_ipv6_host_whose_colons_are_escaped() throws IOException {
        Passwords passwords = file("\\:\\:1:*:*:*:secret\n", "r--------");

        assertThat(passwords.of(cluster(null), new NodeAddress("::1", 5432), "app"))
                .contains(new Secret("secret"));
    }

    @ParameterizedTest
    @CsvSource({"rw-r-----", "rw----r--", "rw--w----"})
    void does_not_use_a_file_that_others_have_access_to(String permissions) throws IOException {
        Passwords passwords = file("*:*:*:*:secret\n", permissions);

        assertThat(passwords.of(cluster(null), DB1, "app")).isEmpty();
        assertThat(passwords.complaint()).get().asString().endsWith("chmod 0600");
    }

    @Test
    void sees_a_changed_password_at_the_next_connection() throws IOException {
        Passwords passwords = file("*:*:*:*:old\n", "rw-------");
        assertThat(passwords.of(cluster(null), DB1, "app")).contains(new Secret("old"));

        Files.writeString(folder.resolve("pgpass"), "*:*:*:*:new\n");

        assertThat(passwords.of(cluster(null), DB1, "app")).contains(new Secret("new"));
    }

    @Test
    void prefers_the_password_of_the_cluster() throws IOException {
        Passwords passwords = file("*:*:*:*:file\n", "rw-------");

        assertThat(passwords.of(cluster(new Secret("own")), DB1, "app")).contains(new Secret("own"));
    }

    @Test
    void reads_a_file_that_the_cluster_names_at_every_connection() throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "old\n");
        ClusterConfig cluster = cluster(Secret.fromFile(secret, "old\n"));
        Passwords passwords = Passwords.of(Map.of());
        Optional<Secret> before = passwords.of(cluster, DB1, "app");

        Files.writeString(secret, "new\n");
        Optional<Secret> changed = passwords.of(cluster, DB1, "app");
        Files.delete(secret);

        assertThat(before).contains(new Secret("old"));
        assertThat(changed).contains(new Secret("new"));
        assertThat(passwords.of(cluster, DB1, "app")).contains(new Secret("old"));
    }

    @Test
    void is_not_put_off_by_a_comment_in_another_encoding() throws IOException {
        Passwords passwords = file("*:*:*:*:secret\n", "rw-------");
        Files.write(folder.resolve("pgpass"), "# \u00e4\n*:*:*:*:secret\n".getBytes(ISO_8859_1));

        assertThat(passwords.of(cluster(null), DB1, "app")).contains(new Secret("secret"));
    }

    @Test
    void needs_no_file() {
        var passwords = Passwords.of(Map.of("HOME", folder.toString()));

        assertThat(passwords.of(cluster(null), DB1, "app")).isEmpty();
        assertThat(passwords.complaint()).isEmpty();
    }

    @Test
    void finds_the_file_in_the_home_of_the_user() throws IOException {
        Files.move(written("*:*:*:*:secret", "rw-------"), folder.resolve(".pgpass"));

        var passwords = Passwords.of(Map.of("HOME", folder.toString()));

        assertThat(passwords.of(cluster(null), DB1, "app")).contains(new Secret("secret"));
    }

    private Passwords file(String text, String permissions) throws IOException {
        return Passwords.of(Map.of("PGPASSFILE", written(text, permissions).toString()));
    }

    private Path written(String text, String permissions) throws IOException {
        Path file = Files.writeString(folder.resolve("pgpass"), text);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }

    private static ClusterConfig cluster(@Nullable Secret password) {
        return new ClusterConfig(
                "c",
                List.of(DB1),
                "me",
                password,
                SslMode.PREFER,
                null,
                null,
                null,
                false,
                "postgres",
                DatabaseSelection.ALL,
                Map.of(),
                1,
                Map.of());
    }
}
