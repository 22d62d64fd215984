package io.nightshift.infra.index;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which rows an index has, and in which order. Two indexes of one table with equal shapes have the same definition but for
 * their names.
 *
 * @param included names of columns that are only carried along
 * @param predicate of a partial index, as PostgreSQL prints it; null of all others
 * @param parameters its storage parameters, such as {@code fillfactor=70}
 */
public record IndexShape(
        String method,
        List<IndexKey> keys,
        List<String> included,
        @Nullable String predicate,
        boolean unique,
        boolean nullsNotDistinct,
        List<String> parameters) {

    public static final String BTREE = "btree";

    public IndexShape {
        keys = List.copyOf(keys);
        included = List.copyOf(included);
        parameters = List.copyOf(parameters);
    }

    boolean hasExpressions() {
        return keys.stream().anyMatch(key -> !key.isColumn());
    }

    /**
     * Whether an index of the other shape on the same table answers whatever one of this shape does, as quickly but for its
     * size. Of methods other than B-tree only the very same is said to.
     */
    public boolean isCoveredBy(IndexShape other) {
        return method.equals(other.method)
                && nullsNotDistinct == other.nullsNotDistinct
                && Objects.equals(predicate, other.predicate)
                && other.carried().containsAll(included)
                && (method.equals(BTREE)
                        ? beginsLike(other, false) || beginsLike(other, true)
                        : keys.size() == other.keys.size()
                                && parameters.equals(other.parameters)
                                && beginsLike(other, false));
    }

    /** Whether the keys are the first ones of the other's. */
    private boolean beginsLike(IndexShape other, boolean reversed) {
        return keys.size() <= other.keys.size()
                && IntStream.range(0, keys.size()).allMatch(i -> keys.get(i).isSame(other.keys.get(i), reversed));
    }

    /** The columns that a scan of the index alone can return. */
    private Set<String> carried() {
        Set<String> columns = new HashSet<>(included);
        keys.stream().filter(IndexKey::isColumn).map(IndexKey::text).forEach(columns::add);
        return columns;
    }

    /** The keys as people read them: {@code (bill_id, lower(name)) where …}. */
    @Override
    public String toString() {
        return keys.stream()
                        .map(key -> key.text() + ((key.order() & 1) == 1 ? " DESC" : ""))
                        .collect(Collectors.joining(
                                ", ",
                                "(",
                                ")" + (included.isEmpty() ? "" : " INCLUDE (" + String.join(", ", included) + ")")))
                + (predicate == null ? "" : " WHERE " + predicate);
    }
}
