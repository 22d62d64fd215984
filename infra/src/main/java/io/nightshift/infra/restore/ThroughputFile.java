package io.nightshift.infra.restore;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Throughput.Work;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What this machine has taken for restores, one line for each in a file of Nightshift's home: it is there where there is
 * no control database. Lines that are not understood are passed over.
 */
public final class ThroughputFile {

    /** Of less the fixed costs would be taken for a rate. */
    private static final long LEAST_BYTES = 8L << 20;

    private static final int LAST = 5;
    private static final Pattern LINE = Pattern.compile("(\\S+) (\\w+) (\\d{1,18}) bytes in (\\d{1,15}) ms");

    /**
     * How fast the last of them were together, so that a large one says more than a small one.
     *
     * @param count of how many
     */
    public record Rate(Work work, double bytesPerSecond, int count) {}

    private final Path file;

    /**
     * The file of a home.
     *
     * @param file which need not exist yet; its directory is made
     */
    public ThroughputFile(Path file) {
        this.file = file;
    }

    /** Adds one; one that says nothing of a rate is left out. */
    public void enter(Instant at, Throughput done) {
        if (done.bytes() < LEAST_BYTES || done.took().toMillis() < 1) {
            return;
        }
        String line = String.format(
                Locale.ROOT,
                "%s %s %d bytes in %d ms%n",
                at.truncatedTo(ChronoUnit.SECONDS),
                word(done.work()),
                done.bytes(),
                done.took().toMillis());
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    /** Empty if nothing of the kind was measured here. */
    public Optional<Rate> rate(Work work) {
        List<Throughput> all = lines().stream()
                .map(LINE::matcher)
                .filter(parts -> parts.matches() && parts.group(2).equals(word(work)))
                .map(parts -> parsed(work, parts))
                .toList();
        List<Throughput> last = all.subList(Math.max(0, all.size() - LAST), all.size());
        double seconds = last.stream().mapToLong(one -> one.took().toMillis()).sum() / 1000.0;
        long bytes = last.stream().mapToLong(Throughput::bytes).sum();
        return seconds > 0 ? Optional.of(new Rate(work, bytes / seconds, last.size())) : Optional.empty();
    }

    private static Throughput parsed(Work work, Matcher parts) {
        return new Throughput(work, Long.parseLong(parts.group(3)), Duration.ofMillis(Long.parseLong(parts.group(4))));
    }

    private static String word(Work work) {
        return work.name().toLowerCase(Locale.ROOT);
    }

    private List<String> lines() {
        try {
            return Files.readAllLines(file);
        } catch (NoSuchFileException nothingYet) {
            return List.of();
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private NightshiftException unusable(IOException e) {
        return new NightshiftException(
                FailureKind.RESOURCES_EXHAUSTED, "file " + file + " not usable: " + e.getMessage(), null, e);
    }
}
