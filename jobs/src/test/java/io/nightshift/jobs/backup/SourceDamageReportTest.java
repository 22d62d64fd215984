package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument.SourceDamage;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Section;
import io.nightshift.jobs.RememberedRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SourceDamageReportTest {

    private final RememberedRun run = RememberedRun.first("chanuka", BackupSettings.defaults(), false);
    private final DamagedPages pages = new DamagedPages();
    private final List<ServerNotice> notices = new ArrayList<>();

    @Test
    void a_page_of_a_known_relation_says_which_and_what_mends_it() {
        says("checksum verification failed in file \"./base/5/16384\", block 3: calculated 1A2B but expected 3C4D");

        report(Map.of("base/5/16384", new DamagedRelation("index public.i of table public.t", "then REINDEX")));

        assertThat(run.report().findings()).singleElement().satisfies(finding -> {
            assertThat(finding.key()).isEqualTo("backup/source-damage/base/5/16384/3");
            assertThat(finding.detail())
                    .isEqualTo("the page's checksum is wrong on the server: index public.i of table public.t");
            assertThat(finding.remedy())
                    .isEqualTo("look after the server's disk and memory and keep the older backups, then REINDEX");
        });
        assertThat(run.report().exitStatus()).isEqualTo(3);
        assertThat(pages.listed(true)).containsExactly(new SourceDamage("base/5/16384", 3));
    }

    @Test
    void wrong_pages_that_the_server_does_not_name_are_a_finding_with_its_words_beside() {
        says("Prüfsummenprüfung fehlgeschlagen");

        report(Map.of());

        assertThat(run.report().findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.key()).isEqualTo("backup/source-damage"));
        assertThat(run.report().exitStatus()).isEqualTo(3);
        assertThat(run.report().sections())
                .containsExactly(Section.text("what the server said", "Prüfsummenprüfung fehlgeschlagen"));
        assertThat(pages.listed(true)).containsExactly(new SourceDamage("", -1));
        assertThat(pages.listed(false)).isEmpty();
    }

    @Test
    void a_disk_full_of_damage_makes_neither_a_report_nor_a_document_that_nobody_can_read() {
        for (int file = 0; file < 5_000; file++) {
            says("checksum verification failed in file \"./base/5/" + file
                    + "\", block 0: calculated 1 but expected 2");
        }

        report(Map.of());

        assertThat(run.report().findings())
                .hasSize(BackupReport.MOST_FINDINGS + 1)
                .last()
                .extracting(Finding::detail)
                .isEqualTo("at least 4900 damaged pages more are not listed here");
        assertThat(pages.listed(true))
                .hasSize(DamagedPages.MOST_FILES + 1)
                .last()
                .isEqualTo(new SourceDamage("", -1));
    }

    private void says(String message) {
        var notice = new ServerNotice("WARNING", "01000", message, null, null);
        notices.add(notice);
        pages.accept(notice, List.of());
    }

    private void report(Map<String, DamagedRelation> relations) {
        var end = new BackupEnd(Lsn.parse("0/2000120"), new Timeline(1), notices, true);
        new SourceDamageReport(run, pages, relations).report(end);
    }
}
