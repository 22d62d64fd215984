package io.nightshift.infra.restore;

import io.nightshift.infra.resilience.NightshiftException;
import java.nio.file.Path;

/** Another process that wants a directory to itself. */
final class TakeOverChild {

    private TakeOverChild() {}

    /** The directory, and what is restored into it. */
    public static void main(String[] arguments) {
        try (TargetDirectory target = TargetDirectory.takeOver(Path.of(arguments[0]), arguments[1], false)) {
            System.out.println("taken " + target.path());
        } catch (NightshiftException refused) {
            System.out.println(refused.explained());
            System.exit(refused.kind().exitStatus());
        }
    }
}
