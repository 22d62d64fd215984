package io.nightshift.infra.schema;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class SchemaReaderTest {

    @Test
    void a_schema_that_has_no_room_in_memory_is_not_read() {
        assertThatCode(() -> SchemaReader.requireRoom(125_000, 300L << 20)).doesNotThrowAnyException();
        assertThatThrownBy(() -> SchemaReader.requireRoom(126_000, 300L << 20))
                .isInstanceOf(SQLException.class)
                .hasMessage("it has more than 125829 objects, and this process has no room for more: -Xmx300m");
    }
}
