package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.config.DeadManSettings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a monitor outside that this node does its work, for as long as it does. Who is dead cannot say so: the monitor
 * raises the alarm when nothing comes any more.
 */
public final class DeadMan {

    private static final Logger LOG = LoggerFactory.getLogger(DeadMan.class);
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(10);

    private final DeadManSettings settings;
    private final HttpClient http = HttpClient.newBuilder()
            .connectTimeout(CONNECT_WITHIN)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();
    private volatile @Nullable String failure;
    private volatile @Nullable String silence;

    public DeadMan(DeadManSettings settings) {
        this.settings = settings;
    }

    void start(ScheduledExecutorService timers, Supplier<Optional<String>> whyNot) {
        long every = settings.every().toMillis();
        Future<?> unused = timers.scheduleAtFixedRate(
                () -> {
                    try {
                        ping(whyNot.get());
                    } catch (RuntimeException e) {
                        failed(String.valueOf(e.getMessage()));
                    }
                },
                every,
                every,
                TimeUnit.MILLISECONDS);
    }

    /**
     * Sends one ping.
     *
     * @param whyNot the reason to be silent
     */
    void ping(Optional<String> whyNot) {
        String reason = whyNot.orElse(null);
        if (reason != null && !reason.equals(silence)) {
            LOG.warn("no dead-man ping: {}", reason);
        }
        silence = reason;
        if (reason == null) {
            send();
        }
    }

    private void send() {
        HttpRequest request = HttpRequest.newBuilder(URI.create(settings.url().reveal()))
                .timeout(ANSWER_WITHIN)
                .header("User-Agent", "nightshift")
                .GET()
                .build();
        try {
            int status =
                    http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            if (status >= 200 && status < 300) {
                failure = null;
            } else {
                failed(settings.host() + " answers HTTP " + status);
            }
        } catch (IOException e) {
            failed(settings.host() + " does not answer: " + e.getClass().getSimpleName()
                    + (e.getMessage() == null ? "" : " (" + e.getMessage() + ")"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void failed(String fact) {
        if (failure == null) {
            LOG.warn("dead-man ping does not arrive: {}", fact);
        }
        failure = fact;
    }

    /** Why the last ping did not arrive; null when it did. */
    @Nullable
    String failure() {
        return failure;
    }
}
