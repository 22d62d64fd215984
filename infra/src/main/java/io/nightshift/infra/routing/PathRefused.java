package io.nightshift.infra.routing;

import io.nightshift.infra.resilience.NightshiftException;

/** What answers at the address of a node is a pooler or a proxy. */
final class PathRefused extends Exception {

    private final transient NightshiftException reason;

    PathRefused(NightshiftException reason) {
        super(reason);
        this.reason = reason;
    }

    NightshiftException reason() {
        return reason;
    }
}
