package io.nightshift.infra.backup;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The damages of one object. An archive that is another's may have a million wrong files: the first are enough. */
final class Damages implements Consumer<Damage> {

    private static final int MOST = 1000;

    private final String object;
    private final List<Damage> listed = new ArrayList<>();
    private long unlisted;

    Damages(String object) {
        this.object = object;
    }

    @Override
    public void accept(Damage damage) {
        if (listed.size() < MOST) {
            listed.add(damage);
        } else {
            unlisted++;
        }
    }

    boolean isEmpty() {
        return listed.isEmpty();
    }

    List<Damage> list() {
        List<Damage> all = new ArrayList<>(listed);
        if (unlisted > 0) {
            all.add(new Damage(object, 0, 0, "", unlisted + " more damages of it are not listed"));
        }
        return all;
    }
}
