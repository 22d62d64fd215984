package io.nightshift.infra.server;

import java.nio.file.Path;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/** Where {@code @TempDir} is: {@link TestPostgres#temporaryDirectory}; see junit-platform.properties. */
public final class QuickDirectory implements TempDirFactory {

    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context) {
        return TestPostgres.temporaryDirectory("junit-");
    }
}
