package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.TablespaceInfo;
import io.nightshift.jobs.backup.PageWarning.Kind;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageWarningTest {

    private static final List<TablespaceInfo> TABLESPACES = List.of(
            new TablespaceInfo(16385, "/mnt/fast \"disk\", block 7: 1 2", 1L),
            new TablespaceInfo(16386, "pg_tblspc/16386", 1L),
            new TablespaceInfo(0, "", 1L));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "checksum verification failed in file \"./base/5/16384\", block 3: calculated 1A2B but expected 3C4D",
                "checksum verification failed in file \"./base/5/16384\", block 3: calculated 12 but expected 34",
                "Prüfsummenüberprüfung fehlgeschlagen in Datei »./base/5/16384«, Block 3: berechnet AAAA, aber erwartet F",
                "verificación de checksums falló en archivo «./base/5/16384», bloque 3: calculado A pero se esperaba B",
                "échec de la vérification de la somme de contrôle dans le fichier « ./base/5/16384 », bloc 3 : calculé 1A2B, mais attendu 3C4D",
                "échec de la vérification de la somme de contrôle dans le fichier «\u00a0./base/5/16384\u00a0», bloc 3\u00a0: calculé 1A2B, mais attendu 3C4D",
                "ファイル\"./base/5/16384\"のブロック3でチェックサム検証が失敗しました: 計算されたチェックサムは1A2Bですが想定は3C4Dです",
                "\"./base/5/16384\" 파일  체크섬 검사 실패(해당 블럭 3): 계산된 체크섬 1A2B (기대값 3C4D)",
                "ошибка контрольной суммы в файле \"./base/5/16384\", блоке 3: вычислено значение 1A2B, но ожидалось 3C4D",
                "საკონტროლო ჯამის გამოთვლის შეცდომა ფაილში \"./base/5/16384\", ბლოკი \"3\": გამოთვლილი საკონტროლო ჯამია 1A2B, მაგრამ მოველოდი: 3C4D"
            })
    void a_wrong_page_is_understood_in_every_language(String message) {
        assertThat(parse(message)).contains(new PageWarning(Kind.WRONG_PAGE, "base/5/16384", 3));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file \"./global/1260\" has a total of 7 checksum verification failures",
                "Datei »./global/1260« hat insgesamt 7 Prüfsummenfehler",
                "le fichier « ./global/1260 » a un total de 7 échecs de vérification de somme de contrôle",
                "ファイル\"./global/1260\"では合計7個のチェックサムエラーが発生しました",
                "всего в файле \"./global/1260\" обнаружено ошибок контрольных сумм: 7"
            })
    void the_total_of_a_file_is_understood_in_every_language(String message) {
        assertThat(parse(message)).contains(new PageWarning(Kind.TOTAL, "global/1260", 7));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "could not verify checksum in file \"./base/5/16384\", block 4: read buffer size 100 and page size 8192 differ",
                "\"./base/5/16384\" 파일(4 블록)에서 체크섬 검사 실패: 읽기 버퍼(100)와 페이지 크기(8192)가 서로 다름",
                "не удалось проверить контрольную сумму в файле \"./base/5/16384\", блоке 4: размер прочитанного буфера (100) отличается от размера страницы (8192)"
            })
    void a_file_that_cannot_be_checked_is_told_from_a_wrong_page(String message) {
        assertThat(parse(message)).contains(new PageWarning(Kind.NOT_CHECKED, "base/5/16384", 4));
    }

    @Test
    void a_block_counts_from_the_beginning_of_its_file_whichever_way_the_server_counts() {
        assertThat(parse(wrong("./base/5/16384.7", 3))).contains(new PageWarning(Kind.WRONG_PAGE, "base/5/16384.7", 3));
        assertThat(parse(wrong("./base/5/16384.7", 7 * 131_072 + 3)))
                .contains(new PageWarning(Kind.WRONG_PAGE, "base/5/16384.7", 3));
        assertThat(parse(wrong("./base/5/16384_fsm.1", 131_072)))
                .contains(new PageWarning(Kind.WRONG_PAGE, "base/5/16384_fsm.1", 0));
        assertThat(parse(wrong("./base/5/16384", 4_294_967_294L)))
                .contains(new PageWarning(Kind.WRONG_PAGE, "base/5/16384", 4_294_967_294L));
    }

    @Test
    void a_file_of_a_tablespace_is_named_as_the_manifest_names_it() {
        assertThat(parse(wrong("/mnt/fast \"disk\", block 7: 1 2/PG_18_202506291/5/16390", 9)))
                .contains(new PageWarning(Kind.WRONG_PAGE, "pg_tblspc/16385/PG_18_202506291/5/16390", 9));
        assertThat(parse(wrong("pg_tblspc/16386/PG_18_202506291/5/16390", 9)))
                .contains(new PageWarning(Kind.WRONG_PAGE, "pg_tblspc/16386/PG_18_202506291/5/16390", 9));
        assertThat(parse(wrong("./pg_tblspc/16386/PG_18_202506291/5/16390", 9)))
                .contains(new PageWarning(Kind.WRONG_PAGE, "pg_tblspc/16386/PG_18_202506291/5/16390", 9));
        assertThat(parse(wrong("/mnt/unknown/PG_18_202506291/5/16390", 9)))
                .contains(new PageWarning(Kind.WRONG_PAGE, "/mnt/unknown/PG_18_202506291/5/16390", 9));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "further checksum verification failures in file \"./base/5/16384\" will not be reported",
                "skipping special file \"./base/5/socket\"",
                "checksum verification failure during base backup",
                "12 total checksum verification failures",
                "file \"./base/5/16384",
                ""
            })
    void whatever_else_the_server_says_is_no_page(String message) {
        assertThat(parse(message)).isEmpty();
        assertThat(PageWarning.parse(
                        new ServerNotice("NOTICE", "00000", wrong("./base/5/1", 1), null, null), TABLESPACES))
                .isEmpty();
    }

    private static String wrong(String file, long block) {
        return "checksum verification failed in file \"" + file + "\", block " + block
                + ": calculated 1A but expected 2";
    }

    private static Optional<PageWarning> parse(String message) {
        return PageWarning.parse(new ServerNotice("WARNING", "01000", message, null, null), TABLESPACES);
    }
}
