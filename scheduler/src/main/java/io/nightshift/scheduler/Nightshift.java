package io.nightshift.scheduler;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.launch.ActiveRuns;
import io.nightshift.scheduler.launch.Pulse;
import io.nightshift.scheduler.launch.QuartzSchedulers;
import io.nightshift.scheduler.launch.Recovery;
import io.nightshift.scheduler.launch.RunBooks;
import io.nightshift.scheduler.launch.RunWorker;
import io.nightshift.scheduler.launch.Ticker;
import io.nightshift.scheduler.ledger.Ledger.Outcome;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.NodeLocks;
import io.nightshift.scheduler.ledger.Nodes;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Turn;
import io.nightshift.scheduler.ledger.Turns;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * A running Nightshift node: everything that launches and works runs, wired together. {@link #forOwnRuns} works what it
 * is told to and nothing else; {@link #serving} has the clock, takes everybody's queued runs and answers over HTTP.
 */
public final class Nightshift implements AutoCloseable {

    /** How long running work may take to notice that it should stop. */
    private static final Duration STOPPING = Duration.ofSeconds(25);

    private static final String LEAVING = "Nightshift was told to end; this run goes on at its next start";

    private final ConfigurableApplicationContext context;
    private final NightshiftNode node;
    private final Nodes nodes;
    private final NodeLocks locks;

    private Nightshift(ConfigurableApplicationContext context, NightshiftNode node, Nodes nodes, NodeLocks locks) {
        this.context = context;
        this.node = node;
        this.nodes = nodes;
        this.locks = locks;
    }

    public static Nightshift forOwnRuns(
            Surroundings surroundings, Configuration configuration, ControlDatabase controlDatabase) {
        return start(surroundings, configuration, controlDatabase, false);
    }

    public static Nightshift serving(
            Surroundings surroundings, Configuration configuration, ControlDatabase controlDatabase) {
        return start(surroundings, configuration, controlDatabase, true);
    }

    private static Nightshift start(
            Surroundings surroundings, Configuration configuration, ControlDatabase controlDatabase, boolean serves) {
        NightshiftNode node = NightshiftNode.thisProcess(surroundings.home().path());
        NodeLocks locks = new NodeLocks(node);
        locks.hold();
        Nodes nodes = new Nodes(controlDatabase.pool(), locks);
        boolean started = false;
        try {
            nodes.enter(node, serves);
            Nightshift nightshift = new Nightshift(
                    context(surroundings, configuration, controlDatabase, node, locks, serves), node, nodes, locks);
            started = true;
            return nightshift;
        } finally {
            if (!started) {
                leave(node, nodes, locks);
            }
        }
    }

    private static ConfigurableApplicationContext context(
            Surroundings surroundings,
            Configuration configuration,
            ControlDatabase controlDatabase,
            NightshiftNode node,
            NodeLocks locks,
            boolean serves) {
        List<Class<?>> sources = new ArrayList<>(List.of(RunWiring.class));
        if (serves) {
            sources.add(ServeWiring.class);
        }
        surroundings.jobTypes().all().stream().map(JobType::configuration).forEach(sources::add);
        return new SpringApplicationBuilder(sources.toArray(Class<?>[]::new))
                .web(serves ? WebApplicationType.SERVLET : WebApplicationType.NONE)
                .bannerMode(Banner.Mode.OFF)
                .logStartupInfo(false)
                .registerShutdownHook(false)
                .properties(properties(configuration, serves))
                .initializers(context -> {
                    var beans = context.getBeanFactory();
                    beans.registerSingleton("surroundings", surroundings);
                    beans.registerSingleton("configuration", configuration);
                    beans.registerSingleton("node", node);
                    beans.registerSingleton("nodeLocks", locks);
                    beans.registerSingleton("dataSource", controlDatabase.pool());
                    beans.registerSingleton("controlDatabase", controlDatabase);
                })
                .run();
    }

    private static Map<String, Object> properties(Configuration configuration, boolean serves) {
        return Map.ofEntries(
                Map.entry("nightshift.serves", serves),
                Map.entry("spring.main.keep-alive", false),
                Map.entry("spring.batch.job.enabled", false),
                Map.entry("spring.batch.jdbc.initialize-schema", "never"),
                Map.entry("spring.batch.jdbc.isolation-level-for-create", "read_committed"),
                Map.entry("server.address", configuration.program().http().address()),
                Map.entry("server.port", configuration.program().http().port()),
                Map.entry("management.endpoints.web.exposure.include", "health,prometheus"),
                Map.entry("management.endpoint.health.show-details", "always"),
                Map.entry("management.endpoints.enabled-by-default", serves),
                Map.entry("management.health.db.enabled", false));
    }

    public String node() {
        return node.name();
    }

    public Requests requests() {
        return context.getBean(Requests.class);
    }

    public ActiveRuns activeRuns() {
        return context.getBean(ActiveRuns.class);
    }

    /**
     * Closes what dead processes left behind, so that it has an outcome and stands in nobody's way. Where somebody serves,
     * it goes on there.
     */
    public void closeLostRuns() {
        if (!nodes.someoneServes()) {
            context.getBean(Recovery.class).close();
        }
    }

    /** Works a run and waits for that; empty when it was not begun, or waits for another attempt. */
    public Optional<Outcome> work(RunId run) {
        return context.getBean(RunWorker.class).work(run);
    }

    /** What keeps a queued run from beginning; empty when nothing does. */
    public String waitsFor(RunId run) {
        return context.getBean(Turns.class).survey(Integer.MAX_VALUE).stream()
                .filter(turn -> turn.run().equals(run))
                .map(Turn::reason)
                .findFirst()
                .orElse("");
    }

    /** A part of the node, for those who look at it from within. */
    <T> T part(Class<T> type) {
        return context.getBean(type);
    }

    /** Where a serving node answers over HTTP. */
    public int httpPort() {
        return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }

    /** Asks running work to stop, and lets nothing new begin. */
    public void cancel(String reason) {
        activeRuns().cancelAll(reason);
    }

    /**
     * Takes nothing new, lets runs end or come to the boundary of a step until the deadline, asks what works then to stop,
     * and leaves. Runs that have not ended go on at the next start, or where another node serves.
     */
    public void leave(Duration deadline) {
        if (!context.isActive()) {
            return;
        }
        context.getBean(Ticker.class).stop();
        context.getBean(QuartzSchedulers.class).stop();
        activeRuns().leave(LEAVING);
        awaitRuns(deadline);
        end(LEAVING);
    }

    /** Asks running work to stop, waits for it, and leaves. What does not stop in time is recovered at the next start. */
    @Override
    public void close() {
        if (context.isActive()) {
            end("Nightshift was asked to stop");
        }
    }

    private void awaitRuns(Duration limit) {
        ActiveRuns active = activeRuns();
        long deadline = System.nanoTime() + limit.toNanos();
        while (!active.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    private void end(String reason) {
        cancel(reason);
        awaitRuns(STOPPING);
        context.getBean(RunBooks.class).shutDown();
        context.getBean(Pulse.class).stop();
        context.close();
        leave(node, nodes, locks);
    }

    private static void leave(NightshiftNode node, Nodes nodes, NodeLocks locks) {
        try {
            nodes.leave(node);
        } catch (RuntimeException controlDatabaseIsAway) {
            // the row says nothing that the lock file does not say better
        } finally {
            locks.release();
        }
    }
}
