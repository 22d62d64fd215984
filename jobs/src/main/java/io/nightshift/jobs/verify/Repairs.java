package io.nightshift.jobs.verify;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** What this run has repaired, and why it could not repair the rest. */
final class Repairs {

    private final RunContext run;
    private final boolean allowed;
    private final Map<String, String> reasons = new HashMap<>();
    private long replaced;
    private boolean attempted;
    private int remaining;

    Repairs(RunContext run, boolean allowed) {
        this.run = run;
        this.allowed = allowed;
    }

    /**
     * Tries one.
     *
     * @param repair what came of it: empty if all is well now, otherwise why not
     * @return whether all is well now
     */
    boolean attempt(String storage, String object, Supplier<Optional<String>> repair) {
        attempted = true;
        String key = DamageReport.key(storage, object);
        if (!allowed) {
            reasons.put(key, "repair is false");
            return false;
        }
        try {
            Optional<String> why = repair.get();
            why.ifPresent(reason -> reasons.put(key, reason));
            return why.isEmpty();
        } catch (NightshiftException failed) {
            Places.requireOfStorage(failed);
            if (failed.kind() == FailureKind.REFUSED) {
                throw failed; // somebody else does this run by now
            }
            reasons.put(key, "the repair failed: " + failed.getMessage());
            return false;
        }
    }

    /** Objects were replaced, and read back sound. */
    void done(String storage, String object, String subject, String damage, long objects, String from) {
        replaced += objects;
        run.report(new Finding(
                "verify/repaired/" + storage + "/" + object,
                Severity.WARNING,
                subject + " in storage " + storage,
                damage + "; " + (objects == 1 ? "1 object was" : objects + " objects were") + " replaced from storage "
                        + from + " and read back sound",
                "look after the disk of storage " + storage));
    }

    /** Damage that no listing shows, and that was not repaired. */
    void remains(Finding damage) {
        remaining++;
        run.report(damage);
    }

    /** How much of that there is. */
    int remaining() {
        return remaining;
    }

    /** Why this is not repaired; empty if nobody has tried. */
    Optional<String> reason(String key) {
        return Optional.ofNullable(reasons.get(key));
    }

    /** Whether anything was found that should be repaired. */
    boolean wereWanted() {
        return attempted;
    }

    /** Objects. */
    long replaced() {
        return replaced;
    }
}
