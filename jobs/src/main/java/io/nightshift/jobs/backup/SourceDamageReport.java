package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.backup.DamagedPages.DamagedFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the operator reads of pages that are wrong on the server itself: where, in which table, and what to do now. */
final class SourceDamageReport {

    private static final String FIRST = "look after the server's disk and memory and keep the older backups";

    private final RunContext run;
    private final DamagedPages pages;
    private final Map<String, DamagedRelation> relations;

    /** @param relations by path, of those files that are known to be a relation's */
    SourceDamageReport(RunContext run, DamagedPages pages, Map<String, DamagedRelation> relations) {
        this.run = run;
        this.pages = pages;
        this.relations = relations;
    }

    void report(BackupEnd end) {
        pages.unchecked().entrySet().stream()
                .limit(BackupReport.MOST_FINDINGS)
                .forEach(file -> unchecked(file.getKey(), file.getValue()));
        if (!end.sourceDamaged()) {
            return;
        }
        List<Finding> findings = new ArrayList<>();
        pages.files().forEach(file -> findings.addAll(findings(file)));
        findings.stream().limit(BackupReport.MOST_FINDINGS).forEach(run::report);
        long more = Math.max(0, findings.size() - BackupReport.MOST_FINDINGS) + pages.pagesNotKept();
        if (more > 0) {
            error(
                    "backup/source-damage/more",
                    "cluster " + run.cluster(),
                    "at least " + more + " damaged pages more are not listed here",
                    FIRST);
        }
        if (findings.isEmpty()) {
            error(
                    "backup/source-damage",
                    "cluster " + run.cluster(),
                    "the server found wrong page checksums and names no page that we understand",
                    FIRST + "; the section \"what the server said\" has its own words");
        }
        // Of each file the server names the first pages only, and then says how many there are.
        run.section(Section.text(
                "what the server said",
                end.notices().stream()
                        .limit(BackupReport.MOST_FINDINGS)
                        .map(ServerNotice::text)
                        .collect(Collectors.joining("\n"))));
    }

    private List<Finding> findings(DamagedFile file) {
        List<Finding> findings = new ArrayList<>();
        String key = "backup/source-damage/" + file.path();
        for (long block : file.blocks()) {
            findings.add(finding(
                    key + "/" + block,
                    file.path() + " block " + block,
                    "the page's checksum is wrong on the server",
                    file));
        }
        if (file.unnamed() > 0) {
            findings.add(finding(
                    key,
                    file.path(),
                    "the checksums of " + file.total() + " pages are wrong on the server, which names "
                            + file.blocks().size() + " of them",
                    file));
        }
        return findings;
    }

    private Finding finding(String key, String subject, String fact, DamagedFile file) {
        DamagedRelation relation = relations.get(file.path());
        return new Finding(
                key,
                Severity.ERROR,
                subject,
                relation == null ? fact : fact + ": " + relation.what(),
                relation == null
                        ? FIRST + "; this backup holds the page as it is there, and is marked source-damaged"
                        : FIRST + ", " + relation.remedy());
    }

    private void unchecked(String path, long block) {
        run.report(
                new Finding(
                        "backup/unchecked/" + path,
                        Severity.WARNING,
                        path,
                        "the server could not check the page checksums from block " + block
                                + " on, because the file does not end with a whole page; the backup has it as it is",
                        "a file that was cut is damaged; one that is no relation's does not belong into that folder of the server"));
    }

    private void error(String key, String subject, String detail, String remedy) {
        run.report(new Finding(key, Severity.ERROR, subject, detail, remedy));
    }
}
