package io.nightshift.scheduler.history;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.Secret;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Takes secrets out of what others write: the known passwords wherever they stand, and whatever looks like one. No line
 * should hold any; this is the second net.
 */
final class SecretMask {

    private static final Pattern ASSIGNMENT = Pattern.compile(
            "(?i)((?:password|passwd|pwd|secret|passphrase)(?:\\s*[=:]\\s*|\\s+(?=')))('[^']*'|\"[^\"]*\"|[^\\s,;&)]+)");
    private static final Pattern IN_URL = Pattern.compile("(://[^\\s:/@]+:)[^\\s@]+(@)");
    /** A shorter one would be found in words that are none. */
    private static final int SHORTEST = 4;

    private final List<String> known;

    SecretMask(Configuration configuration) {
        Stream<Secret> passwords = Stream.concat(
                configuration.clusters().values().stream()
                        .map(ClusterConfig::password)
                        .filter(Objects::nonNull),
                Stream.ofNullable(configuration.program().control()).map(control -> control.password()));
        known = passwords
                .map(Secret::reveal)
                .filter(text -> text.length() >= SHORTEST)
                .distinct()
                .sorted(Comparator.comparing(String::length).reversed())
                .toList();
    }

    String in(String text) {
        String masked = text;
        for (String secret : known) {
            masked = masked.replace(secret, Secret.MASK);
        }
        masked = ASSIGNMENT.matcher(masked).replaceAll("$1" + Secret.MASK);
        return IN_URL.matcher(masked).replaceAll("$1" + Secret.MASK + "$2");
    }
}
