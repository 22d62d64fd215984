package io.nightshift.infra.health;

/** Whether transactions of a database run into each other. */
final class DeadlocksCheck extends DailyCheck {

    DeadlocksCheck() {
        super("deadlocks", "deadlocks", "transactions end in deadlocks");
    }

    @Override
    boolean isMuch(long perDay, HealthSettings settings) {
        return perDay >= settings.deadlocksPerDay();
    }

    @Override
    String detail(Counted counted) {
        return "about " + Words.count(counted.perDay(), "deadlock") + " a day, " + Words.number(counted.total());
    }

    @Override
    String remedy(Counted counted) {
        return "the server's log has both statements of each (\"deadlock detected\"): let the application lock rows in one"
                + " order, or retry what failed with SQLSTATE 40P01";
    }
}
