package io.nightshift.infra.postgres;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** The line of pg_hba.conf that a refused login lacks, as the server's own words give it. */
public final class HbaEntry {

    private static final String NOT_AUTHORISED = "28000";
    /** Messages are translated, with the quotation marks of the language; what they quote is not. */
    private static final Pattern QUOTED = Pattern.compile("[\"»«„“]([^\"»«”“]+)[\"»«”“]");

    private HbaEntry() {}

    /** What to do, with the line in it; empty when the server refuses for another reason. */
    public static Optional<String> hint(ServerNotice refusal) {
        return missing(refusal)
                .map(line -> "add this line to the server's pg_hba.conf, above lines that match more, and reload it: "
                        + line);
    }

    /** Such as {@code host replication "nightshift" 10.0.0.5/32 scram-sha-256}. */
    static Optional<String> missing(ServerNotice refusal) {
        if (!refusal.sqlState().equals(NOT_AUTHORISED) || !refusal.message().contains("pg_hba.conf")) {
            return Optional.empty();
        }
        List<String> quoted = QUOTED.matcher(refusal.message())
                .results()
                .map(match -> match.group(1))
                .toList();
        // A host and a user, and the database unless the connection is one for replication.
        if (quoted.size() < 2 || quoted.size() > 3 || quoted.get(0).startsWith("[")) {
            return Optional.empty();
        }
        String type = refusal.message().contains("SSL") ? "hostssl" : "host";
        String database = quoted.size() == 2 ? "replication" : quoted(quoted.get(2));
        String address = quoted.get(0) + (quoted.get(0).contains(":") ? "/128" : "/32");
        return Optional.of(type + " " + database + " " + quoted(quoted.get(1)) + " " + address + " scram-sha-256");
    }

    private static String quoted(String name) {
        return Identifiers.quoted(name);
    }
}
