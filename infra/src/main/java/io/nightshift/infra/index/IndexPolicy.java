package io.nightshift.infra.index;

import io.nightshift.infra.config.DataSize;
import java.util.List;

/**
 * What of the indexes is worth telling.
 *
 * @param keep names of indexes that stay, {@code database.schema.index} with {@code *} and {@code ?}
 * @param smallestTable of tables below nothing is said but that an index is broken
 * @param smallestIndex below nothing is said of what it was used for, nor how full it is
 * @param writtenRows a day, which make a table active
 */
public record IndexPolicy(List<String> keep, DataSize smallestTable, DataSize smallestIndex, long writtenRows) {

    public IndexPolicy {
        keep = List.copyOf(keep);
    }
}
