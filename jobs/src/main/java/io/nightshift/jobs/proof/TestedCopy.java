package io.nightshift.jobs.proof;

import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How far one attempt has come with its copy: each step adds what the next ones need. */
final class TestedCopy implements AutoCloseable {

    /** An open copy: how long it took from the beginning of the restore, and where recovery has ended. */
    record Opened(Duration took, ReachedPoint reached, LossWindow loss) {}

    private ChosenBackup chosen;
    private @Nullable Fingerprint fingerprint;
    private final List<String> refusals = new ArrayList<>();
    private @Nullable RestoredCopy copy;
    private @Nullable Instant began;
    private @Nullable Opened opened;
    private @Nullable CheckResult result;

    TestedCopy(ChosenBackup chosen) {
        this.chosen = chosen;
    }

    ChosenBackup chosen() {
        return chosen;
    }

    /** Recovers to another target, where the source was read. */
    void compareWith(Fingerprint source, ChosenBackup to) {
        fingerprint = source;
        chosen = to;
    }

    /** What the copy is to be equal to; null where that is not asked for, or not known. */
    @Nullable
    Fingerprint fingerprint() {
        return fingerprint;
    }

    /** Makes the place for it. */
    RestoredCopy begin(RestoredCopies copies, RunId run, Instant now) {
        began = now;
        copy = copies.create("run-" + run);
        return copy;
    }

    RestoredCopy copy() {
        return Objects.requireNonNull(copy, "the restore comes first");
    }

    Instant began() {
        return Objects.requireNonNull(began, "the restore comes first");
    }

    /** It could not be restored, or not be opened: the backup is worth nothing, and there is nothing to check. */
    void refuse(String fact) {
        refusals.add(fact);
    }

    boolean isRefused() {
        return !refusals.isEmpty();
    }

    /** Why it could not be restored or opened; none if it could. */
    List<String> refusals() {
        return List.copyOf(refusals);
    }

    void opened(Opened open) {
        opened = open;
    }

    /** Null as long as it is not open. */
    @Nullable
    Opened opened() {
        return opened;
    }

    void checked(CheckResult found) {
        result = found;
    }

    /** What the checks have found; nothing as long as there were none. */
    CheckResult result() {
        return result == null ? CheckResult.NONE : result;
    }

    @Override
    public void close() {
        if (copy != null) {
            copy.close();
        }
    }
}
