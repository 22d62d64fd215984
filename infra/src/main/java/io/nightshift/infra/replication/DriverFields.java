package io.nightshift.infra.replication;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.lang.reflect.Field;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.PGStream;
import org.postgresql.core.VisibleBufferedInputStream;
import org.postgresql.jdbc.PgConnection;

/** The two fields of pgjdbc that we need and that are not public; a test pins them for the pgjdbc on the class path. */
final class DriverFields {

    private DriverFields() {}

    static PGStream stream(PgConnection connection) {
        return field(connection.getQueryExecutor(), "pgStream", PGStream.class);
    }

    static VisibleBufferedInputStream input(PGStream stream) {
        return field(stream, "pgInput", VisibleBufferedInputStream.class);
    }

    private static <T> T field(Object object, String name, Class<T> type) {
        for (Class<?> owner = object.getClass(); owner != null; owner = owner.getSuperclass()) {
            try {
                Field field = owner.getDeclaredField(name);
                field.setAccessible(true);
                return type.cast(field.get(object));
            } catch (NoSuchFieldException inherited) {
                // one class up
            } catch (ReflectiveOperationException | RuntimeException changed) {
                throw unknownDriver(object, name, changed);
            }
        }
        throw unknownDriver(object, name, null);
    }

    private static NightshiftException unknownDriver(Object object, String field, @Nullable Exception cause) {
        return new NightshiftException(
                FailureKind.BUG,
                "pgjdbc's " + object.getClass().getName() + " has no usable field " + field,
                "run Nightshift with the pgjdbc it was released with",
                cause);
    }
}
