package io.nightshift.jobs.wal;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalArchiver;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.jobs.wal.ArchiveStream.Source;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a run of the archive says of itself. */
final class ArchiveReport {

    private static final Logger LOG = LoggerFactory.getLogger(ArchiveReport.class);

    private final RunContext run;
    private @Nullable WalArchive archive;
    private @Nullable Timeline timeline;
    private Lsn durable = Lsn.INVALID;
    private long segments;
    private long received;
    private long stored;
    private long counted;

    ArchiveReport(RunContext run) {
        this.run = run;
    }

    /** A stream begins. */
    void streams(Source source, Timeline of, Lsn from) {
        archive = source.archive();
        timeline = of;
        durable = from;
        counted = 0;
        run.progress()
                .begin(
                        "stream WAL of timeline " + of + " from " + from + " on from "
                                + source.node().address(),
                        null,
                        "bytes");
    }

    /** Called several times a second. */
    void arrived(long bytes) {
        run.progress().advance(bytes - counted);
        counted = bytes;
    }

    /** A stream has ended. */
    void streamed(WalArchiver archiver) {
        durable = archiver.durable();
        segments += archiver.segments();
        received += archiver.received();
        stored += archiver.stored();
    }

    /** Writes down what was done. */
    void end() {
        run.measured(new Figure("received WAL", received, "bytes"));
        run.measured(new Figure("stored WAL", stored, "bytes"));
        run.measured(new Figure("segments", segments, "segments"));
        run.summary(
                timeline == null
                        ? "nothing was archived"
                        : "archived up to " + durable + " of timeline " + timeline + ": "
                                + new DataSize(received).rounded() + " of WAL, " + new DataSize(stored).rounded()
                                + " stored");
        coverage();
    }

    /** Also says what the archive holds, if its storages answer. */
    private void coverage() {
        if (archive == null) {
            return;
        }
        try {
            show(run, archive);
        } catch (RuntimeException away) {
            LOG.debug("coverage not read: {}", away.getMessage());
        }
    }

    static void show(RunContext run, WalArchive archive) {
        run.section(Section.table(
                "archived WAL",
                List.of("timeline", "from", "to", "size"),
                archive.coverage().ranges().stream().map(ArchiveReport::row).toList()));
        List<WalGap> gaps = archive.gaps();
        if (!gaps.isEmpty()) {
            run.section(Section.table(
                    "gaps",
                    List.of("timeline", "from", "to", "found", "reason"),
                    gaps.stream()
                            .map(gap -> List.of(
                                    gap.timeline().toString(),
                                    gap.from().toString(),
                                    gap.to().toString(),
                                    gap.at().toString(),
                                    gap.reason()))
                            .toList()));
        }
    }

    private static List<String> row(WalRange range) {
        return List.of(
                range.timeline().toString(),
                range.start().toString(),
                range.end().toString(),
                new DataSize(range.end().minus(range.start())).rounded());
    }
}
