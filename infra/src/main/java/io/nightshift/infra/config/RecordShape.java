package io.nightshift.infra.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A record as a configuration sees it. Its defaults come from a static method {@code defaults()} that returns an
 * instance or, when some keys are required, a {@code Map<String, Object>} by key; a null in it is no default.
 */
final class RecordShape<R extends Record> {

    /** A component: one key of the map. */
    record Component(String key, Type type, boolean optional, String description, Method accessor) {

        @Nullable
        Object of(Record record) {
            return call(accessor, record);
        }
    }

    private final Class<R> type;
    private final List<Component> components;
    private final Map<String, @Nullable Object> defaults;

    private RecordShape(Class<R> type, List<Component> components, Map<String, @Nullable Object> defaults) {
        this.type = type;
        this.components = components;
        this.defaults = defaults;
    }

    static <R extends Record> RecordShape<R> of(Class<R> type) {
        List<Component> components = Arrays.stream(type.getRecordComponents())
                .map(RecordShape::component)
                .toList();
        return new RecordShape<>(type, components, defaults(type, components));
    }

    List<Component> components() {
        return components;
    }

    Optional<Component> component(String key) {
        return components.stream()
                .filter(component -> component.key().equals(key))
                .findFirst();
    }

    List<String> keys() {
        return components.stream().map(Component::key).toList();
    }

    /** The value of a key that is not written; null when there is none. */
    @Nullable
    Object defaultOf(Component component) {
        return defaults.get(component.key());
    }

    /**
     * Makes the record from its components in order.
     *
     * @throws IllegalArgumentException as the compact constructor says
     */
    R create(@Nullable Object[] values) {
        try {
            Constructor<R> canonical = type.getDeclaredConstructor(Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new));
            canonical.setAccessible(true);
            return canonical.newInstance(values);
        } catch (InvocationTargetException refusal) {
            if (refusal.getCause() instanceof RuntimeException known) {
                throw known;
            }
            throw new IllegalStateException(type + " cannot be made", refusal);
        } catch (ReflectiveOperationException unusable) {
            throw new IllegalStateException(type + " cannot be made", unusable);
        }
    }

    private static Component component(RecordComponent component) {
        Describe describe = component.getAnnotation(Describe.class);
        return new Component(
                Names.kebab(component.getName()),
                component.getGenericType(),
                component.getAnnotatedType().isAnnotationPresent(Nullable.class),
                describe == null ? "" : describe.value(),
                component.getAccessor());
    }

    private static Map<String, @Nullable Object> defaults(Class<?> type, List<Component> components) {
        Object defaults = Arrays.stream(type.getDeclaredMethods())
                .filter(method -> method.getName().equals("defaults") && method.getParameterCount() == 0)
                .findFirst()
                .map(method -> call(method, null))
                .orElse(null);
        Map<String, @Nullable Object> byKey = new LinkedHashMap<>();
        for (Component component : components) {
            if (defaults instanceof Record instance) {
                byKey.put(component.key(), component.of(instance));
            } else if (defaults instanceof Map<?, ?> some) {
                byKey.put(component.key(), some.get(component.key()));
            }
        }
        return byKey;
    }

    private static @Nullable Object call(Method method, @Nullable Object target) {
        try {
            method.setAccessible(true);
            return method.invoke(target);
        } catch (ReflectiveOperationException unusable) {
            throw new IllegalStateException(method + " cannot be called", unusable);
        }
    }
}
