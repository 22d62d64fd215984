package io.nightshift.infra.schema;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The objects of a database by their identities. Two that were made in another order, on another server or out of a dump are
 * the same.
 */
public final class Schema {

    private final Map<String, SchemaObject> objects = new TreeMap<>();
    private final Set<ObjectKind> kinds;

    public Schema(Collection<SchemaObject> objects) {
        this(objects, EnumSet.allOf(ObjectKind.class));
    }

    /** @param kinds those that were looked at when it was read */
    Schema(Collection<SchemaObject> objects, Set<ObjectKind> kinds) {
        this.kinds = kinds;
        objects.forEach(object -> this.objects.put(object.identity(), object));
    }

    /** Sorted by their identities. */
    public Collection<SchemaObject> objects() {
        return objects.values();
    }

    public Optional<SchemaObject> find(String identity) {
        return Optional.ofNullable(objects.get(identity));
    }

    @Nullable
    SchemaObject get(@Nullable String identity) {
        return identity == null ? null : objects.get(identity);
    }

    boolean has(@Nullable String identity) {
        return identity != null && objects.containsKey(identity);
    }

    public int size() {
        return objects.size();
    }

    public boolean isEmpty() {
        return objects.isEmpty();
    }

    /** What there is, without who owns it and who may use it: for schemas of servers with other roles. */
    public Schema withoutRights() {
        return only(object -> !object.kind().isRight());
    }

    /** What there is, and of the objects that another one has too who owns and may use them there: that of this one is no matter. */
    public Schema withRightsOf(Schema other) {
        List<SchemaObject> all = new ArrayList<>(withoutRights().objects());
        other.objects().stream()
                .filter(object -> object.kind().isRight() && isThereFor(object))
                .forEach(all::add);
        return new Schema(all, kinds);
    }

    /** Without who owns and may use what another one has not. */
    public Schema withRightsOnlyIn(Schema other) {
        return only(object -> !object.kind().isRight() || other.isThereFor(object));
    }

    /** The same with the rights that it had at an earlier moment, where what they are rights on was there, and is. */
    public Schema withRightsAsBefore(Schema earlier) {
        List<SchemaObject> all = new ArrayList<>(withRightsOf(earlier).objects());
        objects().stream()
                .filter(object -> object.kind().isRight() && !earlier.isThereFor(object))
                .forEach(all::add);
        return new Schema(all, kinds);
    }

    private boolean isThereFor(SchemaObject part) {
        return part.parent() == null || has(part.parent());
    }

    Set<ObjectKind> kinds() {
        return kinds;
    }

    /** Without what an older Nightshift, which wrote the other, did not look at. */
    Schema onlyOfKindsOf(Schema other) {
        return other.kinds.containsAll(kinds) ? this : only(object -> other.kinds.contains(object.kind()));
    }

    /** With what another one has where this one, which an older Nightshift wrote, was not looked at: nothing else is expected. */
    Schema withUnknownOf(Schema other) {
        List<SchemaObject> all = new ArrayList<>(objects.values());
        other.objects().stream().filter(object -> isUnknown(object, other)).forEach(all::add);
        return all.size() == objects.size() ? this : new Schema(all, other.kinds);
    }

    private boolean isUnknown(SchemaObject object, Schema other) {
        boolean isLookedAt = object.kind() == ObjectKind.OWNER ? has(object.identity()) : kinds.contains(object.kind());
        SchemaObject parent = other.get(object.parent());
        return !isLookedAt && (isThereFor(object) || (parent != null && isUnknown(parent, other)));
    }

    Schema only(Predicate<SchemaObject> wanted) {
        return new Schema(objects.values().stream().filter(wanted).toList(), kinds);
    }

    /** SHA-256 over identities and definitions, in hexadecimal digits; the order of columns and dependencies have no part in it. */
    public String fingerprint() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            objects.forEach((identity, object) -> {
                if (object.kind() != ObjectKind.COLUMN_ORDER) {
                    digest.update((identity + '\0' + object.definition() + '\0').getBytes(StandardCharsets.UTF_8));
                }
            });
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
