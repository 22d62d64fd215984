package io.nightshift.infra.run;

/** The number of a run in the ledger; people type it after {@code nightshift show}. */
public record RunId(long number) {

    @Override
    public String toString() {
        return Long.toString(number);
    }
}
