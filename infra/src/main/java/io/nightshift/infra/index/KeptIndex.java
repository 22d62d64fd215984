package io.nightshift.infra.index;

/**
 * An index that would go if it were for queries alone.
 *
 * @param because what speaks for it to go
 * @param why what it is needed for
 */
public record KeptIndex(String database, RelationName index, String because, String why) {}
