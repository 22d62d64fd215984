package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.Identifiers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Builds a line of pg_hba.conf from the columns of pg_hba_file_rules, so that the server would read the same rule. */
final class HbaLine {

    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_.:/+@*=-]+");

    private HbaLine() {}

    static String of(
            String type,
            String[] databases,
            String[] users,
            @Nullable String address,
            @Nullable String netmask,
            String method,
            String[] options) {
        List<String> parts = new ArrayList<>(List.of(type, list(databases), list(users)));
        if (address != null) {
            parts.add(address);
        }
        if (netmask != null) {
            parts.add(netmask);
        }
        parts.add(method);
        Arrays.stream(options)
                .map(MaskedSettings::maskedOption)
                .map(HbaLine::quoted)
                .forEach(parts::add);
        return String.join(" ", parts);
    }

    private static String list(String[] names) {
        return Arrays.stream(names).map(HbaLine::quoted).collect(Collectors.joining(","));
    }

    private static String quoted(String token) {
        return PLAIN.matcher(token).matches() ? token : Identifiers.quoted(token);
    }
}
