package io.nightshift.scheduler.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class V1SpringBatchAndQuartzTest {

    /** When this fails, a new version brings other tables: leave V1 as it was and write an additive migration. */
    @Test
    void runs_the_scripts_that_it_was_written_for() throws Exception {
        assertThat(sha256(V1__SpringBatchAndQuartz.SPRING_BATCH))
                .isEqualTo("f2ac75cae966e4eb1cd97ee6b11f130495b7109153754a7983befb87614d6e38");
        assertThat(sha256(V1__SpringBatchAndQuartz.QUARTZ))
                .isEqualTo("60d22e05e00203702f18f835916c75270aeb6828e7051bb81dd87ebd7bf6a943");
    }

    @Test
    void drops_nothing() {
        assertThat(V1__SpringBatchAndQuartz.script(V1__SpringBatchAndQuartz.QUARTZ))
                .contains("DROP TABLE");
        assertThat(V1__SpringBatchAndQuartz.statements())
                .isNotEmpty()
                .noneMatch(sql -> sql.toUpperCase(java.util.Locale.ROOT).contains("DROP "));
    }

    private static String sha256(String resource) throws Exception {
        byte[] script = V1__SpringBatchAndQuartz.script(resource).getBytes(StandardCharsets.UTF_8);
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(script));
    }
}
