package io.nightshift.infra.routing;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A cluster as its nodes were last seen, in the order of the configuration. Pure: everything that follows from the
 * observations is decided here.
 *
 * @param lineage what was known of it before; null when nothing was
 * @param standing a conflict of before that is not over, whatever these observations say; null if there is none
 */
public record ObservedCluster(
        String name,
        List<NodeObservation> nodes,
        @Nullable Lineage lineage,
        @Nullable Conflict standing) {

    /** How much a node is doing for us that has failed too often. */
    static final int LEFT_ALONE = Integer.MAX_VALUE;

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
        return answered().stream()
                .filter(node -> !node.inRecovery() && isOurs(node))
                .toList();
    }

    /** Which cluster it is; empty while nobody can tell. */
    private Optional<SystemIdentifier> system() {
        if (lineage != null) {
            return Optional.of(lineage.system());
        }
        List<SystemIdentifier> systems = systems();
        return systems.size() == 1 ? Optional.of(systems.get(0)) : Optional.empty();
    }

    private List<SystemIdentifier> systems() {
        return answered().stream().map(Answered::system).distinct().toList();
    }

    private boolean isOurs(Answered node) {
        return system().filter(node.system()::equals).isPresent();
    }

    /** An old primary that came back: a standby of it was promoted meanwhile. */
    private boolean isPast(Answered primary) {
        return primary.timeline().compareTo(newest(primary)) < 0;
    }

    /** The newest timeline of our nodes, of before or now. */
    private Timeline newest(Answered ours) {
        Timeline before = lineage == null ? ours.timeline() : lineage.newest();
        return answered().stream()
                .filter(this::isOurs)
                .map(Answered::timeline)
                .reduce(before, (one, other) -> one.compareTo(other) < 0 ? other : one);
    }

    public List<Answered> standbys() {
        return answered().stream().filter(Answered::inRecovery).toList();
    }

    public Optional<NodeObservation> node(NodeAddress address) {
        return nodes.stream().filter(seen -> seen.node().equals(address)).findFirst();
    }

    /**
     * How much WAL of its primary a standby has not replayed. Empty when it is not known: without a primary nobody can
     * tell, nor on another timeline than the primary's, and that is not 0.
     */
    public Optional<DataSize> lag(Answered standby) {
        return source(standby)
                .map(source -> new DataSize(Math.max(0, source.location().minus(standby.location()))));
    }

    /** Of several primaries the one whose timeline it follows, unless that is of the past. */
    private Optional<Answered> source(Answered standby) {
        if (!isOurs(standby)) {
            return Optional.empty();
        }
        Optional<Answered> primary = primary();
        if (primary.isPresent()) {
            return primary.filter(source -> source.timeline().equals(standby.timeline()) || standby.isStreaming());
        }
        return primaries().stream()
                .filter(source -> !isPast(source) && source.timeline().equals(standby.timeline()))
                .max(Comparator.comparing(Answered::location));
    }

    /** Why nothing may be written, begun or cleaned up here until a person has looked; empty when all is well. */
    public Optional<NightshiftException> conflict() {
        return contradiction().or(() -> Optional.ofNullable(standing)).map(Conflict::refusal);
    }

    /** The conflict that these observations show. */
    Optional<Conflict> contradiction() {
        return twoClusters().or(this::twoPrimaries).or(this::pastPrimary);
    }

    private Optional<Conflict> twoClusters() {
        List<Answered> strangers =
                answered().stream().filter(node -> !isOurs(node)).toList();
        if (strangers.isEmpty()) {
            return Optional.empty();
        }
        boolean isMixed = systems().size() > 1;
        String seen = (isMixed ? answered() : strangers)
                .stream().map(node -> node.node() + " has " + node.system()).collect(Collectors.joining(", "));
        return Optional.of(
                isMixed || lineage == null
                        ? new Conflict(
                                "nodes of cluster " + name + " have different system identifiers: " + seen,
                                "they are not one cluster; correct nodes in clusters/" + name + ".yaml",
                                addresses(answered()))
                        : new Conflict(
                                "cluster " + name + " has another system identifier than before: " + seen + ", but "
                                        + lineage.system() + " was seen before",
                                "correct nodes in clusters/" + name
                                        + ".yaml; if the cluster was made anew, make all of its nodes anew or restart"
                                        + " Nightshift",
                                addresses(strangers)));
    }

    private Optional<Conflict> twoPrimaries() {
        List<Answered> primaries = primaries();
        return primaries.size() < 2
                ? Optional.empty()
                : Optional.of(new Conflict(
                        "cluster " + name + " has " + primaries.size() + " nodes that claim to be its primary: "
                                + primaries.stream()
                                        .map(node -> node.node() + " on timeline " + node.timeline())
                                        .collect(Collectors.joining(", ")),
                        "find out which one is right and shut the other down; nothing was done to either",
                        addresses(primaries)));
    }

    private Optional<Conflict> pastPrimary() {
        return primaries().stream()
                .filter(this::isPast)
                .findFirst()
                .map(past -> new Conflict(
                        past.node() + " of cluster " + name + " claims to be its primary on timeline " + past.timeline()
                                + ", but timeline " + newest(past) + " was seen before",
                        "it is an old primary that came back: shut it down, or make it a standby of the present one",
                        Set.of(past.node())));
    }

    private static Set<NodeAddress> addresses(List<Answered> nodes) {
        return nodes.stream().map(Answered::node).collect(Collectors.toSet());
    }

    /**
     * The node for an intent. Of the standbys that fit it is the one of two, drawn at random, with less to do. In a
     * conflict there is no primary, and work that only reads goes on on standbys.
     *
     * @param outstanding how much each node is doing for us now, {@link #LEFT_ALONE} where nothing is tried
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
            throw again(pooler.reason());
        });
        if (answered().isEmpty() && !unreachable.isEmpty()) {
            throw again(unreachable.get(0).reason());
        }
        return candidate(intent, outstanding, random)
                .orElseThrow(() -> conflict().orElseGet(() -> none(intent)));
    }

    /** Whoever throws it has a stack of its own. */
    private static NightshiftException again(NightshiftException reason) {
        return new NightshiftException(reason.kind(), String.valueOf(reason.getMessage()), reason.hint(), reason);
    }

    private Optional<Answered> candidate(
            Intent intent, ToIntFunction<NodeAddress> outstanding, RandomGenerator random) {
        if (intent instanceof Intent.Standby standby) {
            return ofStandbys(standby, outstanding, random, Optional.empty());
        }
        if (intent instanceof Intent.StandbyPreferred preferred) {
            return ofStandbys(preferred.onStandby(), outstanding, random, writable());
        }
        return writable();
    }

    private Optional<Answered> writable() {
        return conflict().isPresent() ? Optional.empty() : primary();
    }

    /** One that has failed too often is taken when there is no other, the primary neither. */
    private Optional<Answered> ofStandbys(
            Intent.Standby intent,
            ToIntFunction<NodeAddress> outstanding,
            RandomGenerator random,
            Optional<Answered> primary) {
        List<Answered> fitting = fitting(intent);
        List<Answered> tried = fitting.stream()
                .filter(standby -> outstanding.applyAsInt(standby.node()) != LEFT_ALONE)
                .toList();
        return lessBusy(tried, outstanding, random).or(() -> primary).or(() -> lessBusy(fitting, outstanding, random));
    }

    /** Whether an intent might be given this node. */
    public boolean isFit(Intent intent, NodeAddress address) {
        return answered().stream().filter(node -> node.node().equals(address)).anyMatch(node -> isFit(intent, node));
    }

    private boolean isFit(Intent intent, Answered node) {
        if (intent instanceof Intent.Standby standby) {
            return node.inRecovery() && whyNot(standby, node).isEmpty();
        }
        boolean isPrimary = writable().filter(node::equals).isPresent();
        return intent instanceof Intent.StandbyPreferred preferred
                ? isPrimary || isFit(preferred.onStandby(), node)
                : intent instanceof Intent.Primary && isPrimary;
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
        if (!isOurs(standby)) {
            return "of another system";
        }
        if (standby.receiver() == null) {
            return "without a running WAL receiver";
        }
        Optional<DataSize> lag = lag(standby);
        if (lag.isEmpty()) {
            return primary().isPresent()
                    ? "how far behind is not known on timeline " + standby.timeline()
                    : "how far behind is not known without the primary";
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
