package io.nightshift.jobs.integrity;

/** A database of a cluster, written as {@code CLUSTER/DATABASE}. */
record ClusterDatabase(String cluster, String database) {

    static ClusterDatabase parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1 || slash == text.length() - 1) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" is not accepted; accepted: CLUSTER/DATABASE, such as staging/shop");
        }
        return new ClusterDatabase(text.substring(0, slash), text.substring(slash + 1));
    }

    @Override
    public String toString() {
        return cluster + "/" + database;
    }
}
