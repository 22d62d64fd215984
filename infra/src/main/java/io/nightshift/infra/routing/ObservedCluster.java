package io.nightshift.infra.routing;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A cluster as its nodes were last seen, in the order of the configuration. Pure: everything that follows from the
 * observations is decided here.
 *
 * @param newest the newest timeline that any of its primaries was ever seen on; null before the first
 */
public record ObservedCluster(
        String name, List<NodeObservation> nodes, @Nullable Timeline newest) {

    public ObservedCluster {
        nodes = List.copyOf(nodes);
    }

    public List<Answered> answered() {
        return all(Answered.class);
    }

    public List<Unreachable> unreachable() {
        return all(Unreachable.class);
    }

    private <T> List<T> all(Class<T> kind) {
        return nodes.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    /** The one node that takes writes; empty when there is none, when several claim to be, and while only a past one does. */
    public Optional<Answered> primary() {
        List<Answered> primaries = primaries();
        return primaries.size() == 1 && !isPast(primaries.get(0)) ? Optional.of(primaries.get(0)) : Optional.empty();
    }

    private List<Answered> primaries() {
        return answered().stream().filter(node -> !node.inRecovery()).toList();
    }

    /** An old primary that came back: a standby of it was promoted meanwhile. */
    private boolean isPast(Answered primary) {
        return newest != null && primary.timeline().compareTo(newest) < 0;
    }

    public List<Answered> standbys() {
        return answered().stream().filter(Answered::inRecovery).toList();
    }

    public Optional<NodeObservation> node(NodeAddress address) {
        return nodes.stream().filter(seen -> seen.node().equals(address)).findFirst();
    }

    /**
     * How much WAL of the primary a standby has not replayed. Empty when it is not known: without a primary nobody can
     * tell, and that is not 0.
     */
    public Optional<DataSize> lag(Answered standby) {
        return primary()
                .map(source -> new DataSize(Math.max(0, source.location().minus(standby.location()))));
    }

    /** Why nothing may be written, begun or cleaned up here until a person has looked; empty when all is well. */
    public Optional<NightshiftException> conflict() {
        List<Answered> seen = answered();
        if (seen.stream().map(Answered::system).distinct().count() > 1) {
            return Optional.of(new NightshiftException(
                    FailureKind.REFUSED,
                    "nodes of cluster " + name + " have different system identifiers: "
                            + seen.stream()
                                    .map(node -> node.node() + " has " + node.system())
                                    .collect(Collectors.joining(", ")),
                    "they are not one cluster; correct nodes in clusters/" + name + ".yaml"));
        }
        List<Answered> primaries = primaries();
        if (primaries.size() > 1) {
            return Optional.of(new NightshiftException(
                    FailureKind.REFUSED,
                    "cluster " + name + " has " + primaries.size() + " nodes that claim to be its primary: "
                            + primaries.stream()
                                    .map(node -> node.node() + " on timeline " + node.timeline())
                                    .collect(Collectors.joining(", ")),
                    "find out which one is right and shut the other down; nothing was done to either"));
        }
        return primaries.stream()
                .filter(this::isPast)
                .findFirst()
                .map(past -> new NightshiftException(
                        FailureKind.REFUSED,
                        past.node() + " of cluster " + name + " claims to be its primary on timeline " + past.timeline()
                                + ", but timeline " + newest + " was seen before",
                        "it is an old primary that came back: shut it down, or make it a standby of the present one"));
    }

    /**
     * The node for an intent. Of the standbys that fit it is the one of two, drawn at random, with less to do.
     *
     * @param outstanding how much each node is doing for us now
     */
    public Answered choose(Intent intent, ToIntFunction<NodeAddress> outstanding, RandomGenerator random) {
        if (intent instanceof Intent.RestoredCopy) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "cluster " + name + " has no restored copy now",
                    "a restore test leaves one behind");
        }
        List<Unreachable> unreachable = unreachable();
        // Who names a pooler is told, whatever else the list holds: it would be needed on the day of a failover.
        unreachable.stream().filter(Unreachable::isNoServer).findFirst().ifPresent(pooler -> {
            throw pooler.reason();
        });
        if (answered().isEmpty() && !unreachable.isEmpty()) {
            throw unreachable.get(0).reason();
        }
        conflict().ifPresent(conflict -> {
            throw conflict;
        });
        return candidate(intent, outstanding, random).orElseThrow(() -> none(intent));
    }

    private Optional<Answered> candidate(
            Intent intent, ToIntFunction<NodeAddress> outstanding, RandomGenerator random) {
        if (intent instanceof Intent.Standby standby) {
            return lessBusy(fitting(standby), outstanding, random);
        }
        if (intent instanceof Intent.StandbyPreferred preferred) {
            return lessBusy(fitting(new Intent.Standby(preferred.maxLag(), preferred.replayed())), outstanding, random)
                    .or(this::primary);
        }
        return primary();
    }

    private List<Answered> fitting(Intent.Standby intent) {
        return standbys().stream()
                .filter(standby -> whyNot(intent, standby).isEmpty())
                .toList();
    }

    private static Optional<Answered> lessBusy(
            List<Answered> fitting, ToIntFunction<NodeAddress> outstanding, RandomGenerator random) {
        if (fitting.size() < 2) {
            return fitting.stream().findFirst();
        }
        int first = random.nextInt(fitting.size());
        int second = (first + 1 + random.nextInt(fitting.size() - 1)) % fitting.size();
        Answered one = fitting.get(first);
        Answered other = fitting.get(second);
        return Optional.of(outstanding.applyAsInt(one.node()) <= outstanding.applyAsInt(other.node()) ? one : other);
    }

    /** What keeps a standby from being taken; "" if nothing. */
    private String whyNot(Intent.Standby intent, Answered standby) {
        if (standby.receiver() == null) {
            return "without a running WAL receiver";
        }
        Optional<DataSize> lag = lag(standby);
        if (lag.isEmpty()) {
            return "how far behind is not known without the primary";
        }
        if (lag.get().compareTo(intent.maxLag()) > 0) {
            return lag.get().rounded() + " behind";
        }
        Lsn replayed = intent.replayed();
        return replayed != null && standby.location().isBefore(replayed) ? "has not replayed " + replayed : "";
    }

    private NightshiftException none(Intent intent) {
        String observed = answered().stream()
                .map(node -> node.node()
                        + (node.inRecovery() ? " is a standby at " : " is the primary at ")
                        + node.location()
                        + reason(intent, node))
                .reduce((a, b) -> a + ", " + b)
                .orElse("no node answers");
        String others = unreachable().isEmpty()
                ? ""
                : "; " + unreachable().get(0).reason().getMessage();
        return new NightshiftException(
                FailureKind.POSTGRES_UNAVAILABLE,
                "cluster " + name + " has no node that is a " + intent + ": " + observed + others,
                intent instanceof Intent.Standby
                        ? "let the standby catch up, raise max-lag, or take the primary; then run the job again"
                        : "start or promote a node, then run the job again");
    }

    private String reason(Intent intent, Answered node) {
        if (!(intent instanceof Intent.Standby standby) || !node.inRecovery()) {
            return "";
        }
        String why = whyNot(standby, node);
        return why.isEmpty() ? "" : (node.receiver() == null ? " " : ", ") + why;
    }
}
