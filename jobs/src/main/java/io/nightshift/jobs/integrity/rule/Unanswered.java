package io.nightshift.jobs.integrity.rule;

/** A question has no answer; the message says why. */
final class Unanswered extends Exception {

    private final boolean tooLong;

    private Unanswered(String reason, boolean tooLong) {
        super(reason);
        this.tooLong = tooLong;
    }

    static Unanswered because(String reason) {
        return new Unanswered(reason, false);
    }

    static Unanswered tooLong(String reason) {
        return new Unanswered(reason, true);
    }

    boolean isTooLong() {
        return tooLong;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
