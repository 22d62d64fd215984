package io.nightshift.scheduler.cli;

import io.nightshift.jobs.backup.SetupComparison;
import io.nightshift.jobs.backup.SetupComparison.Item;
import io.nightshift.jobs.backup.SetupComparison.Room;
import io.nightshift.jobs.backup.SetupComparison.State;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How a server compares with its setup, as people read it. */
final class SetupText {

    private SetupText() {}

    static void print(PrintWriter out, SetupComparison comparison) {
        out.println();
        out.println("# now, at " + comparison.node() + " (PostgreSQL " + comparison.version() + ")");
        TextTable items = new TextTable("what", "now", "state");
        comparison.items().forEach(item -> items.row(item.name(), item.now(), word(item.state())));
        items.print(out);
        List<Item> wrong = comparison.items().stream()
                .filter(item -> item.state() != State.RIGHT && item.remedy() != null)
                .toList();
        if (!wrong.isEmpty()) {
            out.println();
            out.println("# to do");
            wrong.forEach(item -> out.println(
                    item.remedy() + (item.state() == State.NEEDS_RESTART ? "; then restart the server" : "")));
        }
        out.println();
        Long size = comparison.clusterBytes();
        out.println(
                "# sizes; the cluster's own: " + (size == null ? "not visible to the role" : Arguments.bytes(size)));
        TextTable rooms = new TextTable("storage", "free", "a full backup takes about", "that many fit");
        comparison.rooms().forEach(room -> rooms.row(cells(room)));
        rooms.print(out);
    }

    private static List<String> cells(Room room) {
        return List.of(
                String.join(" and ", room.storages()),
                Arguments.bytes(room.free()),
                bytes(room.expected()),
                room.fulls() == null ? "-" : Long.toString(room.fulls()));
    }

    private static String bytes(@Nullable Long bytes) {
        return bytes == null ? "-" : Arguments.bytes(bytes);
    }

    private static String word(State state) {
        return state.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
