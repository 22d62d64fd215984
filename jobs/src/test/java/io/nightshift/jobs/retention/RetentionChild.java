package io.nightshift.jobs.retention;

import io.nightshift.jobs.TestCluster;

/** Another process that expires what a week does not need; the tests let it die. */
final class RetentionChild {

    private RetentionChild() {}

    public static void main(String[] coordinates) {
        InventedCluster.run(TestCluster.attach(coordinates), InventedCluster.CONFIRMED_WEEK)
                .attempt()
                .completed();
    }
}
