package io.nightshift.infra.schema;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The options at the end of a definition, as foreign servers, tables, their columns and user mappings have them. What may be a
 * secret is never kept, nor anything by which one could be found: in its place stands that there is one.
 *
 * @param head what stands before them
 * @param values as SQL literals, by names as SQL takes them
 */
record ForeignOptions(String head, Map<String, String> values) {

    private static final String SECRET = "'<secret>'";

    private static final Set<ObjectKind> KINDS = Set.of(
            ObjectKind.FOREIGN_DATA_WRAPPER,
            ObjectKind.SERVER,
            ObjectKind.USER_MAPPING,
            ObjectKind.FOREIGN_TABLE,
            ObjectKind.COLUMN);

    private static final Pattern OPTION =
            Pattern.compile("(\"(?:[^\"]|\"\")*+\"|[a-z0-9_$]+) (E?'[^']*+(?:''[^']*+)*+')(?:, )?");
    private static final Pattern OPTIONS = Pattern.compile("(?:^| )OPTIONS \\(((?:" + OPTION.pattern() + ")+)\\)$");
    private static final Pattern SECRET_NAME = Pattern.compile(
            "pass|pwd|pw|secret|token|credential|key|auth|dsn|conn(?!ect_timeout)|signature", Pattern.CASE_INSENSITIVE);
    private static final Pattern SECRET_VALUE = Pattern.compile(
            "(?:pass(?:word|wd|phrase)?|pwd|secret|token|key|credentials?|auth|sig|signature)\\s*=|authorization|bearer"
                    + "|://[^/@\\s]+@",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern SWITCH = Pattern.compile("'(?:true|false|on|off|yes|no)'", Pattern.CASE_INSENSITIVE);
    /** Of the formats before the third, which kept a part of a digest. */
    private static final Pattern DIGEST = Pattern.compile("'<secret [0-9a-f]{8}>'");
    /** Nobody logs in with it alone. */
    private static final Set<String> OF_MAPPING = Set.of("\"user\"", "username");

    /**
     * What makes options of others.
     *
     * @param sql such as {@code OPTIONS (SET host 'b', DROP port)}; empty if there is nothing to be made
     * @param byHand the names of those that are not known
     * @param losesSecret whether one goes that is there
     */
    record Change(String sql, List<String> byHand, boolean losesSecret) {}

    static ForeignOptions of(String definition) {
        Matcher options = OPTIONS.matcher(definition);
        Map<String, String> values = new LinkedHashMap<>();
        if (!options.find()) {
            return new ForeignOptions(definition, values);
        }
        for (Matcher option = OPTION.matcher(options.group(1)); option.find(); ) {
            values.put(option.group(1), option.group(2));
        }
        return new ForeignOptions(definition.substring(0, options.start()), values);
    }

    /** The definition of an object with a placeholder for each of its secrets, the same for all. */
    static String withoutSecrets(ObjectKind kind, String definition) {
        if (!KINDS.contains(kind)
                || !definition.endsWith("')")
                || !OPTIONS.matcher(definition).find()) {
            return definition;
        }
        ForeignOptions options = of(definition);
        options.values.replaceAll((name, value) ->
                kind == ObjectKind.USER_MAPPING && !OF_MAPPING.contains(name) ? SECRET : withoutSecret(name, value));
        return options.toString();
    }

    static String withoutSecret(String name, String value) {
        boolean isNamedSo =
                SECRET_NAME.matcher(name).find() && !SWITCH.matcher(value).matches();
        return isNamedSo || SECRET_VALUE.matcher(value).find() ? SECRET : value;
    }

    /** What was kept in a format before the third, in the words of today. */
    static String withoutDigests(ObjectKind kind, String definition) {
        return KINDS.contains(kind) || kind == ObjectKind.SETTING
                ? withoutSecrets(kind, DIGEST.matcher(definition).replaceAll(SECRET))
                : definition;
    }

    static boolean isSecret(String value) {
        return value.equals(SECRET);
    }

    /** Those of an object that are known, so that it can be made. */
    static String known(SchemaObject object) {
        if (!KINDS.contains(object.kind())) {
            return object.sql();
        }
        ForeignOptions options = of(object.sql());
        options.values.values().removeIf(ForeignOptions::isSecret);
        return options.toString();
    }

    /** The names of those that are not. */
    static List<String> secrets(SchemaObject object) {
        Map<String, String> values =
                KINDS.contains(object.kind()) ? of(object.definition()).values : Map.<String, String>of();
        return values.keySet().stream()
                .filter(name -> SECRET.equals(values.get(name)))
                .toList();
    }

    /** Which make these of others. */
    Change from(ForeignOptions others) {
        List<String> changes = new ArrayList<>();
        List<String> byHand = new ArrayList<>();
        boolean losesSecret = false;
        for (String name : values.keySet()) {
            String value = String.valueOf(values.get(name));
            String there = others.values.get(name);
            if (value.equals(there)) {
                continue;
            }
            if (isSecret(value)) {
                byHand.add(name);
            } else {
                changes.add((there == null ? "ADD " : "SET ") + name + " " + value);
                losesSecret |= SECRET.equals(there);
            }
        }
        for (String name : others.values.keySet()) {
            if (!values.containsKey(name)) {
                changes.add("DROP " + name);
                losesSecret |= SECRET.equals(others.values.get(name));
            }
        }
        return new Change(changes.isEmpty() ? "" : "OPTIONS (" + String.join(", ", changes) + ")", byHand, losesSecret);
    }

    @Override
    public String toString() {
        List<String> all = new ArrayList<>();
        values.forEach((name, value) -> all.add(name + " " + value));
        return all.isEmpty() ? head : (head + " OPTIONS (" + String.join(", ", all) + ")").strip();
    }
}
