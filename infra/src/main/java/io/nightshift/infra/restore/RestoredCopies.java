package io.nightshift.infra.restore;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.ServerBinaries;
import io.nightshift.infra.server.ServerUser;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where this machine makes its restored copies, and with which servers. Any process may use, keep and throw away copies at
 * any time: each is used by some, or worked on by one.
 *
 * @param scratch a folder of which everything may be deleted that nobody is at work in
 */
public record RestoredCopies(Path scratch, ServerBinaries binaries) {

    private static final Logger LOG = LoggerFactory.getLogger(RestoredCopies.class);

    /** Below this part of its file system free, kept copies go. */
    private static final double FLOOR = 0.05;

    private static final int NAMES = 20;

    /** A copy that is gone now. */
    public record Discarded(String name, String reason) {}

    /** A new copy, in a folder of this name, or one like it where another is kept, or somebody is at work. */
    public RestoredCopy create(String name) {
        ServerUser.of(scratch.resolve("data")).createPassableDirectories(scratch);
        for (int attempt = 1; ; attempt++) {
            try {
                return RestoredCopy.in(scratch.resolve(attempt == 1 ? name : name + "-" + attempt));
            } catch (NightshiftException taken) {
                if (taken.kind() != FailureKind.REFUSED || attempt == NAMES) {
                    throw taken;
                }
            }
        }
    }

    /**
     * Ends and removes what killed processes have left, servers included, and kept copies whose time is over, whose server
     * has ended, or, where space is short, that end first. Copies that somebody is at work in, or uses, stay.
     */
    public List<Discarded> sweep(Instant now) {
        List<Discarded> swept = new ArrayList<>();
        for (Path directory : directories()) {
            Optional<KeptCopy> kept = KeptCopy.in(directory);
            Optional<String> reason = kept.isEmpty()
                    ? Optional.of("was left by a process that was killed")
                    : kept.get().over(now, kept.get().isRunning());
            try {
                reason.filter(why -> discard(directory, seen -> isOver(seen, now)))
                        .ifPresent(why -> swept.add(new Discarded(name(directory), why)));
            } catch (NightshiftException failed) {
                // One folder that cannot be removed keeps nobody from the others; whoever comes next tries again.
                LOG.warn("copy in {} not removed: {}", directory, failed.getMessage());
            }
        }
        swept.addAll(discardWhile(this::isShort, "less than 5 % of its file system is free"));
        return swept;
    }

    private static boolean isOver(Path directory, Instant now) {
        return KeptCopy.in(directory)
                .map(kept -> kept.over(now, kept.isRunning()).isPresent())
                .orElse(true);
    }

    /** Throws kept copies away that nobody uses, those that end first, until so many bytes are free or none is left. */
    public List<Discarded> makeRoom(long bytes) {
        return discardWhile(() -> usableBytes() < bytes, "its room was needed for another restore test");
    }

    /** Throws the kept copies of a cluster away that nobody uses. */
    public List<Discarded> discard(String cluster) {
        return discard(kept -> kept.cluster().equals(cluster));
    }

    /** The same but for one copy. */
    List<Discarded> discardOlder(KeptCopy than) {
        return discard(kept -> kept.cluster().equals(than.cluster())
                && !kept.directory().equals(than.directory())
                && !kept.keptAt().isAfter(than.keptAt()));
    }

    private List<Discarded> discard(Predicate<KeptCopy> which) {
        List<Discarded> discarded = new ArrayList<>();
        for (Path directory : directories()) {
            if (KeptCopy.in(directory).filter(which).isPresent()
                    && discard(
                            directory, seen -> KeptCopy.in(seen).filter(which).isPresent())) {
                discarded.add(new Discarded(name(directory), "was thrown away"));
            }
        }
        return discarded;
    }

    private List<Discarded> discardWhile(BooleanSupplier isNeeded, String reason) {
        List<Discarded> discarded = new ArrayList<>();
        List<Path> endingFirst = directories().stream()
                .filter(directory -> KeptCopy.in(directory).isPresent())
                .sorted(Comparator.comparing(
                        directory -> KeptCopy.in(directory).map(KeptCopy::until).orElse(Instant.MIN)))
                .toList();
        for (Path directory : endingFirst) {
            if (isNeeded.getAsBoolean()
                    && discard(directory, seen -> KeptCopy.in(seen).isPresent())) {
                discarded.add(new Discarded(name(directory), reason));
            }
        }
        return discarded;
    }

    /** Whether it is gone: not where somebody is at work, nor if it is another one by now. */
    @SuppressWarnings("try") // what is left is taken, and closed
    private static boolean discard(Path directory, TemporaryCopy.MayGo mayGo) {
        try (TemporaryCopy left = TemporaryCopy.in(directory, mayGo)) {
            // closing it removes all
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.REFUSED) {
                throw failed;
            }
            return false;
        }
        try {
            Files.deleteIfExists(directory);
            return true;
        } catch (DirectoryNotEmptyException takenAgain) {
            return true;
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    /** The newest kept copy of a cluster, to be used until it is closed; empty if there is none with a server that runs. */
    public Optional<LeasedCopy> present(String cluster, Instant now) {
        return kept().stream()
                .filter(kept -> kept.cluster().equals(cluster))
                .sorted(Comparator.comparing(KeptCopy::keptAt).reversed())
                .flatMap(kept -> lease(kept, now).stream())
                .findFirst();
    }

    private Optional<LeasedCopy> lease(KeptCopy kept, Instant now) {
        Path data = Path.of(kept.directory());
        Path directory = data.resolveSibling("..").normalize();
        Optional<PostgresBinaries> servers = binaries.find(major(kept));
        Optional<CopyHold> use = servers.isEmpty() ? Optional.empty() : TemporaryCopy.use(directory);
        if (use.isEmpty()) {
            return Optional.empty();
        }
        boolean leased = false;
        try {
            // Nobody else throws it away any more; it may have been before.
            leased = KeptCopy.in(directory).filter(kept::equals).isPresent()
                    && kept.over(now, kept.isRunning()).isEmpty();
            return leased
                    ? Optional.of(new LeasedCopy(kept, PostgresServer.open(data, servers.get()), use.get()))
                    : Optional.empty();
        } finally {
            if (!leased) {
                release(use.get(), directory);
            }
        }
    }

    private static int major(KeptCopy kept) {
        return Integer.parseInt(kept.version().split("\\.", 2)[0]);
    }

    private static void release(CopyHold hold, Path directory) {
        try {
            hold.close();
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    /** All that are kept here, also those whose time is over and that nobody has thrown away yet. */
    public List<KeptCopy> kept() {
        return directories().stream()
                .flatMap(directory -> KeptCopy.in(directory).stream())
                .toList();
    }

    private List<Path> directories() {
        if (!Files.isDirectory(scratch)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(scratch)) {
            return entries.filter(Files::isDirectory).sorted().toList();
        } catch (IOException failed) {
            throw TargetFailures.of(scratch, failed);
        }
    }

    private static String name(Path directory) {
        return String.valueOf(directory.getFileName());
    }

    /** Free for another copy, bytes. */
    public long usableBytes() {
        Path existing = TargetFailures.existing(scratch);
        try {
            return Files.getFileStore(existing).getUsableSpace();
        } catch (IOException failed) {
            throw TargetFailures.of(existing, failed);
        }
    }

    private boolean isShort() {
        Path existing = TargetFailures.existing(scratch);
        try {
            FileStore store = Files.getFileStore(existing);
            return store.getUsableSpace() < FLOOR * store.getTotalSpace();
        } catch (IOException failed) {
            throw TargetFailures.of(existing, failed);
        }
    }

    /** Servers of a major version; empty if this machine has none. */
    public Optional<PostgresBinaries> binaries(int major) {
        return binaries.find(major);
    }
}
