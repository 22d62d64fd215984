package io.nightshift.infra.health;

import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.ServerFacts.Extension;
import java.util.List;
import java.util.Map;

/** Extensions whose objects are older than the files that are installed, as after an upgrade of the server. */
final class ExtensionsCheck extends SqlCheck {

    ExtensionsCheck() {
        super("extensions", Where.DATABASES, "an extension has another version than is installed");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) {
        return session.facts().extensions().entrySet().stream()
                .filter(extension -> isOld(extension.getValue()))
                .sorted(Map.Entry.comparingByKey())
                .<HealthResult>map(extension -> warning(
                        "extension " + extension.getKey() + session.inDatabase(),
                        "has version " + extension.getValue().installed() + ", the server's files have "
                                + extension.getValue().available(),
                        "in database " + session.database() + ": ALTER EXTENSION "
                                + Identifiers.quoted(extension.getKey()) + " UPDATE"))
                .toList();
    }

    private static boolean isOld(Extension extension) {
        String installed = extension.installed();
        return installed != null && extension.available() != null && !installed.equals(extension.available());
    }
}
