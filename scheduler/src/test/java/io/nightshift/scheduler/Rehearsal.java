package io.nightshift.scheduler;

import io.nightshift.infra.run.JobType;
import io.nightshift.infra.run.RunContext;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A job type whose two steps do what a test says; the setting {@code script} names which test. */
public final class Rehearsal implements JobType {

    public static final String NAME = "rehearsal";

    /** What a step does. */
    @FunctionalInterface
    public interface Act {
        void play(RunContext run) throws Exception;
    }

    public record Script(Act firstAct, Act secondAct) {}

    public record Settings(String script) {

        static Settings defaults() {
            return new Settings("none");
        }
    }

    private final boolean heavy;

    public Rehearsal() {
        this(false);
    }

    /** One whose runs count among the heavy ones of their cluster, or not. */
    public Rehearsal(boolean heavy) {
        this.heavy = heavy;
    }

    private static final Map<String, Script> SCRIPTS =
            new ConcurrentHashMap<>(Map.of("none", new Script(r -> {}, r -> {})));

    public static void write(String script, Act firstAct, Act secondAct) {
        SCRIPTS.put(script, new Script(firstAct, secondAct));
    }

    @Configuration(proxyBeanMethods = false)
    static class Beans {

        @Bean(NAME)
        Job rehearsal(JobRepository repository, Step firstAct, Step secondAct) {
            return new JobBuilder(NAME, repository)
                    .start(firstAct)
                    .next(secondAct)
                    .build();
        }

        @Bean
        Step firstAct(JobRepository repository, RunContext run) {
            return new StepBuilder(repository)
                    .tasklet(tasklet(run, Script::firstAct))
                    .build();
        }

        @Bean
        Step secondAct(JobRepository repository, RunContext run) {
            return new StepBuilder(repository)
                    .tasklet(tasklet(run, Script::secondAct))
                    .build();
        }

        private static Tasklet tasklet(RunContext run, java.util.function.Function<Script, Act> act) {
            return (contribution, chunk) -> {
                Script script = SCRIPTS.get(run.settings(Settings.class).script());
                act.apply(script).play(run);
                return RepeatStatus.FINISHED;
            };
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "does what a test says";
    }

    @Override
    public Class<Settings> settings() {
        return Settings.class;
    }

    @Override
    public boolean heavy() {
        return heavy;
    }

    @Override
    public boolean isEndless() {
        return true;
    }

    @Override
    public String dryRun() {
        return "nothing";
    }

    @Override
    public Class<Beans> configuration() {
        return Beans.class;
    }
}
