package io.nightshift.infra.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.nightshift.infra.run.Section.Table;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

class TimingsTest {

    @AfterEach
    void workForNobody() {
        Timings.workFor(null);
        MDC.clear();
    }

    private static List<List<String>> rows(Timings timings) {
        return ((Table) timings.section().data()).rows();
    }

    @Test
    void add_up_what_each_step_has_spent_on_what() {
        Timings timings = new Timings();

        timings.begin("checkCluster");
        Timings.spent(Timings.Kind.SQL, Duration.ofMillis(120));
        Timings.spent(Timings.Kind.SQL, Duration.ofMillis(30));
        timings.end();
        timings.begin("stream");
        Timings.spent(Timings.Kind.NETWORK, Duration.ofSeconds(2));
        timings.end();
        Timings.spent(Timings.Kind.SQL, Duration.ofHours(1));

        assertThat(((Table) timings.section().data()).columns())
                .containsExactly("step", "elapsed", "SQL", "network", "storage", "CPU");
        assertThat(rows(timings))
                .extracting(row -> row.get(0), row -> row.get(2), row -> row.get(3))
                .containsExactly(tuple("checkCluster", "0.150 s", "0.000 s"), tuple("stream", "0.000 s", "2.000 s"));
    }

    @Test
    void a_thread_of_a_step_works_for_it_and_says_so_in_its_log_lines() throws Exception {
        Timings timings = new Timings();
        timings.begin("compress");
        MDC.put("run", "17");
        MDC.put("step", "compress");
        List<String> seen = new CopyOnWriteArrayList<>();

        Thread thread = StepThreads.named("worker").start(() -> {
            seen.add(MDC.get("run") + " " + MDC.get("step"));
            burn(Duration.ofMillis(50));
        });
        thread.join();
        timings.end();

        assertThat(seen).containsExactly("17 compress");
        assertThat(Double.parseDouble(rows(timings).get(0).get(5).replace(" s", "")))
                .isGreaterThanOrEqualTo(0.05);
        assertThat(thread.isDaemon()).isTrue();
    }

    /** Uses the processor for so long. */
    private static void burn(Duration time) {
        Duration begun = Timings.cpu();
        double sum = 0;
        while (Timings.cpu().minus(begun).compareTo(time) < 0) {
            sum += Math.sqrt(sum + 1);
        }
        assertThat(sum).isPositive();
    }
}
