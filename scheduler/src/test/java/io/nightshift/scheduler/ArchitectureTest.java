package io.nightshift.scheduler;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;
import io.nightshift.infra.run.JobType;
import java.time.Clock;
import java.time.Instant;

@AnalyzeClasses(packages = "io.nightshift", importOptions = ArchitectureTest.MainCode.class)
class ArchitectureTest {

    /** Neither test classes nor the jar in which infra shares its fixtures. */
    static final class MainCode implements ImportOption {

        private static final ImportOption NO_TESTS = new DoNotIncludeTests();

        @Override
        public boolean includes(Location location) {
            return NO_TESTS.includes(location) && !location.contains("-tests.jar");
        }
    }

    @ArchTest
    static final ArchRule arrows_point_from_scheduler_to_jobs_to_infra = Architectures.layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("scheduler")
            .definedBy("io.nightshift.scheduler..")
            .layer("jobs")
            .definedBy("io.nightshift.jobs..")
            .layer("infra")
            .definedBy("io.nightshift.infra..")
            .whereLayer("scheduler")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("jobs")
            .mayOnlyBeAccessedByLayers("scheduler");

    @ArchTest
    static final ArchRule job_families_do_not_know_each_other =
            slices().matching("io.nightshift.jobs.(*)..").should().notDependOnEachOther();

    @ArchTest
    static final ArchRule packages_of_infra_have_no_cycles =
            slices().matching("io.nightshift.infra.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule infra_knows_no_spring = noClasses()
            .that()
            .resideInAPackage("io.nightshift.infra..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.springframework..");

    @ArchTest
    static final ArchRule of_a_job_package_only_its_job_type_is_public = classes()
            .that()
            .resideInAPackage("io.nightshift.jobs..")
            .and()
            .areNotAssignableTo(JobType.class)
            .and()
            .areTopLevelClasses()
            .and()
            .haveSimpleNameNotEndingWith("package-info")
            .should()
            .notBePublic()
            .orShould()
            .onlyHaveDependentClassesThat(resideInAPackage("io.nightshift.jobs..")
                    .or(resideInAPackage("io.nightshift.scheduler.cli.."))
                    .or(resideInAPackage("io.nightshift.scheduler.api.."))
                    .or(resideInAPackage("io.nightshift.scheduler.web..")));

    @ArchTest
    static final ArchRule only_what_shows_a_job_type_uses_its_public_types = noClasses()
            .that()
            .resideInAPackage("io.nightshift.scheduler..")
            .and()
            .resideOutsideOfPackages(
                    "io.nightshift.scheduler.cli..", "io.nightshift.scheduler.api..", "io.nightshift.scheduler.web..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.nightshift.jobs..");

    @ArchTest
    static final ArchRule the_time_comes_from_a_clock = noClasses()
            .should()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(java.time.LocalDateTime.class, "now")
            .orShould()
            .callMethod(java.time.LocalDate.class, "now")
            .orShould()
            .callMethod(java.time.ZonedDateTime.class, "now");

    @ArchTest
    static final ArchRule only_the_edge_chooses_the_clock = noClasses()
            .that()
            .resideOutsideOfPackage("io.nightshift.scheduler.cli..")
            .should()
            .callMethod(Clock.class, "systemUTC");
}
