package io.nightshift.infra.config;

import org.jspecify.annotations.Nullable;

/** A password or the like. It never prints itself; whoever needs the text says so with {@link #reveal()}. */
public final class Secret {

    /** What is shown in place of any secret, whatever its length. */
    public static final String MASK = "********";

    private final String text;

    public Secret(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("an empty secret is not accepted");
        }
        this.text = text;
    }

    /** The text itself, for the one who connects. Never log it. */
    public String reveal() {
        return text;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Secret secret && text.equals(secret.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return MASK;
    }
}
