package io.nightshift.infra.run;

/** How much a finding matters; error and above make a completed run end with exit status 3. */
public enum Severity {
    INFO,
    WARNING,
    ERROR,
    CRITICAL;

    public boolean isAtLeast(Severity other) {
        return compareTo(other) >= 0;
    }
}
