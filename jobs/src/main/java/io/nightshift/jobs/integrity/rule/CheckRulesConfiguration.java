package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.Rules;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The step {@code checkRules} of {@code integrity-validation}. */
@Configuration(proxyBeanMethods = false)
public class CheckRulesConfiguration {

    @Bean
    Step checkRules(
            JobRepository repository,
            RunContext run,
            DatabaseOrchestrator clusters,
            RestoredCopies copies,
            Rules rules,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new CheckRulesTasklet(run, clusters, copies, rules, clock))
                .build();
    }
}
