package io.nightshift.infra.config;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys of a file of rules/. */
record RulesFile(
        String cluster,
        @Nullable String database,
        @Nullable String username,
        @Nullable Secret password,
        Map<String, RuleKeys> rules) {

    RulesFile {
        new Refusals()
                .when(username != null && username.isEmpty(), "username is empty")
                .when(password != null && username == null, "password needs its username")
                .throwIfAny();
    }
}
