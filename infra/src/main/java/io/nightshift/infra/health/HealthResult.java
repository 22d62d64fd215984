package io.nightshift.infra.health;

import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;

/** What a check says of a subject: a node, a database, or an object in them. */
public sealed interface HealthResult {

    /** The check's name. */
    String check();

    /** The object concerned, as a person would name it; the same from look to look. */
    String subject();

    /** How the keys of a check's findings begin. */
    static String keys(String check) {
        return "health/" + check + "/";
    }

    /** Was looked at, and nothing is wrong. */
    record Fine(String check, String subject) implements HealthResult {}

    /**
     * Something that an operator should act on.
     *
     * @param severity warning or critical
     * @param detail the fact, with its numbers
     * @param remedy what to do now, with object and command
     */
    record Wrong(String check, String subject, Severity severity, String detail, String remedy)
            implements HealthResult {

        /** What makes it the same from night to night. */
        public String key() {
            return keys(check) + subject;
        }

        public Finding finding() {
            return new Finding(key(), severity, subject, detail, remedy);
        }
    }

    /** Could not be judged: not green. */
    record NotEvaluated(String check, String subject, String reason) implements HealthResult {}
}
