package io.nightshift.scheduler;

import io.nightshift.infra.run.JobType;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.server.DatabaseUrl;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.launch.JobTypes;
import io.nightshift.scheduler.ledger.Cause;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.RunTerms;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.util.FileSystemUtils;

/** A home, a configuration and a fresh control database of one test, where rehearsals run on a cluster nobody connects to. */
public final class Installation implements AutoCloseable {

    public static final String CLUSTER = "stage";

    private final Path folder = TestPostgres.temporaryDirectory("installation-");
    private final Map<String, String> environment;
    private final List<JobType> jobTypes;

    private Installation(Map<String, String> environment, List<JobType> jobTypes) {
        this.environment = environment;
        this.jobTypes = new ArrayList<>(jobTypes);
        write("clusters/" + CLUSTER + ".yaml", """
                nodes: ["127.0.0.1:1"]
                username: nobody
                storages: {local: required}
                """);
        write("storages/local.yaml", """
                type: directory
                path: ${NIGHTSHIFT_HOME}/storage
                """);
    }

    public static Installation withOwnControlDatabase() {
        DatabaseUrl url = DatabaseUrl.fresh();
        return on(url.url(), url.username(), url.password());
    }

    /** The same with rehearsals that count among the heavy runs of their cluster. */
    public Installation withHeavyRehearsals() {
        jobTypes.clear();
        jobTypes.add(new Rehearsal(true));
        return this;
    }

    public static Installation on(String url, String username, String password) {
        return new Installation(
                Map.of(
                        "NIGHTSHIFT_CONTROL_URL",
                        url,
                        "NIGHTSHIFT_CONTROL_USERNAME",
                        username,
                        "NIGHTSHIFT_CONTROL_PASSWORD",
                        password),
                List.of(new Rehearsal()));
    }

    /** With the real job types and an embedded control database in the home. */
    public static Installation embedded() {
        var installation =
                new Installation(Map.of(), List.copyOf(JobTypes.onClassPath().all()));
        new Home(installation.home()).create();
        TestPostgres.unpacked(new Home(installation.home()).binaries());
        return installation;
    }

    /** The same with one more job type. */
    public Installation with(JobType more) {
        jobTypes.add(more);
        return this;
    }

    public Path home() {
        return folder.resolve("home");
    }

    public Path configuration() {
        return folder.resolve("job-configs");
    }

    public Map<String, String> environment() {
        return environment;
    }

    public Installation write(String file, String text) {
        try {
            Path target = configuration().resolve(file);
            Files.createDirectories(target.getParent());
            Files.writeString(target, text);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Surroundings surroundings() {
        return surroundings(Clock.systemUTC());
    }

    private Surroundings surroundings(Clock clock) {
        return new Surroundings(new Home(home()), configuration(), null, environment, new JobTypes(jobTypes), clock);
    }

    public ControlDatabase controlDatabase() {
        Surroundings surroundings = surroundings();
        surroundings.home().create();
        ControlDatabase database = ControlDatabase.open(
                surroundings.home(), surroundings.configuration().program().control());
        database.migrate();
        return database;
    }

    public Nightshift forOwnRuns(ControlDatabase database) {
        return Nightshift.forOwnRuns(surroundings(), surroundings().configuration(), database);
    }

    public Nightshift serving(ControlDatabase database) {
        return Nightshift.serving(surroundings(), surroundings().configuration(), database);
    }

    /** By another clock than the machine's. */
    public Nightshift serving(ControlDatabase database, Clock clock) {
        return Nightshift.serving(surroundings(clock), surroundings().configuration(), database);
    }

    public static LaunchRequest rehearsal(String script) {
        return rehearsal(script, script, null);
    }

    public static LaunchRequest rehearsal(String job, String script, Duration timeLimit) {
        return new LaunchRequest(
                job,
                Rehearsal.NAME,
                CLUSTER,
                Cause.REQUEST,
                "somebody",
                Map.of("script", script),
                false,
                RunTerms.ON_DEMAND.limited(timeLimit),
                null,
                null);
    }

    /** The runs of a job, newest first. Through the pool, as tests look many times and a login costs ten queries. */
    public static List<Run> runs(ControlDatabase database, String job) {
        return new RunHistory(database.pool()).runs(RunFilter.newest(10_000).ofJob(job));
    }

    public static Run run(ControlDatabase database, RunId run) {
        return new RunHistory(database.pool()).run(run);
    }

    public static JdbcClient sql(ControlDatabase database) {
        return JdbcClient.create(database.pool());
    }

    @Override
    public void close() {
        try {
            FileSystemUtils.deleteRecursively(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
