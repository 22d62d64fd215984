package io.nightshift.scheduler.cli;

import io.nightshift.infra.restore.KeptCopy;
import io.nightshift.infra.restore.RestoredCopies;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The restored copies that restore tests have left. */
final class CopyText {

    private CopyText() {}

    /** Those of a cluster, or of all, whose time is not over. */
    static List<KeptCopy> present(RestoredCopies copies, Instant now, @Nullable String cluster) {
        return copies.kept().stream()
                .filter(copy -> !copy.isOver(now))
                .filter(copy -> cluster == null || copy.cluster().equals(cluster))
                .toList();
    }

    static String line(KeptCopy copy) {
        return "cluster " + copy.cluster() + ": restored copy of " + copy.backup() + " until "
                + RunText.time(copy.until()) + ", PostgreSQL " + copy.version() + " on 127.0.0.1 port " + copy.port()
                + " in " + copy.directory();
    }

    static Map<String, Object> json(KeptCopy copy) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("cluster", copy.cluster());
        json.put("backup", copy.backup().toString());
        json.put("run", copy.run().number());
        json.put("node", copy.node());
        json.put("directory", copy.directory());
        json.put("port", copy.port());
        json.put("process", copy.process());
        json.put("version", copy.version());
        json.put("reachedLsn", copy.reachedLsn().toString());
        json.put("reachedAt", copy.reachedAt());
        json.put("until", copy.until());
        json.put("differences", copy.differences());
        return json;
    }
}
