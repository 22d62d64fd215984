package io.nightshift.scheduler.watchdog;

import java.util.List;
import java.util.stream.Stream;

/** From facts to what is wrong. Pure. */
final class Judge {

    private Judge() {}

    static List<Condition> conditions(Facts facts) {
        return Stream.of(
                        facts.jobs().stream().flatMap(job -> JobJudge.judge(job, facts)),
                        facts.working().stream().flatMap(RunJudge::judge),
                        EngineJudge.judge(facts))
                .flatMap(part -> part)
                .toList();
    }
}
