package io.nightshift.infra.load;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Lets the bytes of a stream pass: as they come, or at the floor rate while the {@link Brake} is on. Whoever takes the
 * bytes waits here, the sockets between fill, and the server waits too; it needs no time limit longer than a second for
 * that. For one thread.
 */
public final class Pace {

    /** How often a stream at full speed asks; asking costs a microsecond. */
    private static final long ASKING_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Brake brake;
    private final DataSize floorRate;
    private final Progress progress;
    private final Cancellation cancellation;
    private @Nullable String said;
    private long asked;
    private long due;
    private long held;

    Pace(Brake brake, DataSize floorRate, Progress progress, Cancellation cancellation) {
        this.brake = brake;
        this.floorRate = floorRate;
        this.progress = progress;
        this.cancellation = cancellation;
        this.asked = System.nanoTime() - ASKING_NANOS;
    }

    /** Bytes have been taken; returns when the next may come. Throws CANCELLED when the run is stopped meanwhile. */
    public void passed(int bytes) {
        long now = System.nanoTime();
        if (said == null && now - asked < ASKING_NANOS) {
            return;
        }
        asked = now;
        Optional<String> reason = brake.reason();
        if (said == null) {
            due = now;
        }
        say(reason);
        if (reason.isPresent()) {
            hold(bytes, now);
        }
    }

    /** For how long it has kept the stream waiting. */
    public Duration held() {
        return Duration.ofNanos(held);
    }

    private void hold(int bytes, long now) {
        due = Math.max(due, now - ASKING_NANOS)
                + Math.round((double) bytes * TimeUnit.SECONDS.toNanos(1) / floorRate.bytes());
        boolean braked = true;
        while (braked && System.nanoTime() - due < 0) {
            brake.await(due);
            Optional<String> reason = brake.reason();
            say(reason);
            braked = reason.isPresent();
        }
        held += System.nanoTime() - now;
        cancellation.check();
    }

    private void say(Optional<String> reason) {
        String now = reason.map(why -> "slowed to " + floorRate.rounded() + "/s: " + why)
                .orElse(null);
        if (now == null ? said != null : !now.equals(said)) {
            progress.note(now);
            said = now;
        }
    }
}
