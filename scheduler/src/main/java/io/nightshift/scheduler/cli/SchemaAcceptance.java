package io.nightshift.scheduler.cli;

import io.nightshift.infra.schema.KeptSchema;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaComparison;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What became of the accepted schema of a database, as people and programs read it. */
sealed interface SchemaAcceptance {

    String line();

    Map<String, @Nullable Object> json();

    /**
     * It is the one that the database has now.
     *
     * @param before the one that it replaces
     * @param differences from that; null if there was none, or they cannot be counted
     */
    record Accepted(
            String database,
            Schema schema,
            Optional<KeptSchema> before,
            @Nullable Integer differences) implements SchemaAcceptance {

        private static final int FINGERPRINT = 12;

        static Accepted of(String database, Schema schema, Optional<KeptSchema> before) {
            return new Accepted(
                    database,
                    schema,
                    before,
                    before.map(kept -> differences(kept.schema(), schema)).orElse(null));
        }

        /** It is accepted by now, and that is what was asked for: null if they cannot be counted. */
        private static @Nullable Integer differences(Schema before, Schema schema) {
            try {
                return SchemaComparison.of(before, schema).differences().size();
            } catch (RuntimeException | StackOverflowError failed) {
                return null;
            }
        }

        @Override
        public String line() {
            return "database " + SchemaDiffText.onOneLine(database) + ": accepted with " + schema.size()
                    + " objects, fingerprint "
                    + schema.fingerprint().substring(0, FINGERPRINT)
                    + before.filter(kept -> differences != null)
                            .map(kept -> " (" + differences + " differ from what " + kept.by() + " accepted at "
                                    + RunText.time(kept.at()) + ")")
                            .orElse("");
        }

        @Override
        public Map<String, @Nullable Object> json() {
            return SchemaAcceptance.json(database, schema, differences);
        }
    }

    /** Nothing is expected of the database from now on. */
    record Removed(String database, boolean wasAccepted) implements SchemaAcceptance {

        @Override
        public String line() {
            return "database " + SchemaDiffText.onOneLine(database)
                    + (wasAccepted ? ": nothing is expected of it any more" : ": nothing was expected of it");
        }

        @Override
        public Map<String, @Nullable Object> json() {
            return SchemaAcceptance.json(database, null, wasAccepted ? 0 : null);
        }
    }

    /** The schema could not be read, or not be kept. */
    record NotAccepted(String database, String reason) implements SchemaAcceptance {

        @Override
        public String line() {
            return "nightshift: schema of database " + SchemaDiffText.onOneLine(database) + " not accepted: " + reason;
        }

        @Override
        public Map<String, @Nullable Object> json() {
            Map<String, @Nullable Object> document = SchemaAcceptance.json(database, null, null);
            document.put("notEvaluated", reason);
            return document;
        }
    }

    private static Map<String, @Nullable Object> json(
            String database, @Nullable Schema schema, @Nullable Integer differences) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("database", database);
        document.put("objects", schema == null ? null : schema.size());
        document.put("fingerprint", schema == null ? null : schema.fingerprint());
        document.put("differencesFromBefore", differences);
        return document;
    }
}
