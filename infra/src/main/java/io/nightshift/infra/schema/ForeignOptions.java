package io.nightshift.infra.schema;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The options at the end of a definition, as foreign servers, tables, their columns and user mappings have them. A secret among
 * them, such as a password, is never kept: in its place stand the first digits of its digest, too few to find it by.
 *
 * @param head what stands before them
 * @param values as SQL literals, by names as SQL takes them
 */
record ForeignOptions(String head, Map<String, String> values) {

    private static final Pattern OPTION =
            Pattern.compile("(\"(?:[^\"]|\"\")*+\"|[a-z0-9_$]+) (E?'[^']*+(?:''[^']*+)*+')(?:, )?");
    private static final Pattern OPTIONS = Pattern.compile("(?:^| )OPTIONS \\(((?:" + OPTION.pattern() + ")+)\\)$");
    private static final Pattern SECRET_NAME =
            Pattern.compile("pass|pwd|secret|token|credential|(?:private|access|api)_?key", Pattern.CASE_INSENSITIVE);
    private static final Pattern SECRET_VALUE =
            Pattern.compile("pass(?:word|wd)?\\s*=|://[^/@\\s]*:[^/@\\s]*@", Pattern.CASE_INSENSITIVE);
    private static final Pattern PLACEHOLDER = Pattern.compile("'<secret [0-9a-f]{8}>'");
    private static final int DIGITS = 8;

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

    /** The definition with a placeholder for each secret, which is another one for another secret. */
    static String withoutSecrets(String definition) {
        if (!definition.endsWith("')") || !OPTIONS.matcher(definition).find()) {
            return definition;
        }
        ForeignOptions options = of(definition);
        options.values.replaceAll(ForeignOptions::withoutSecret);
        List<String> all = new ArrayList<>();
        options.values.forEach((name, value) -> all.add(name + " " + value));
        return (options.head + " OPTIONS (" + String.join(", ", all) + ")").strip();
    }

    static String withoutSecret(String name, String value) {
        boolean isSecret =
                SECRET_NAME.matcher(name).find() || SECRET_VALUE.matcher(value).find();
        return isSecret ? "'<secret " + digest(name + '\0' + value) + ">'" : value;
    }

    private static String digest(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    static boolean hasPlaceholder(String sql) {
        return PLACEHOLDER.matcher(sql).find();
    }

    /** What makes these of others, such as {@code OPTIONS (SET host 'b', DROP port)}; empty if they are the same. */
    String changedFrom(ForeignOptions others) {
        List<String> changes = new ArrayList<>();
        values.forEach((name, value) -> {
            String there = others.values.get(name);
            if (!value.equals(there)) {
                changes.add((there == null ? "ADD " : "SET ") + name + " " + value);
            }
        });
        others.values.keySet().stream()
                .filter(name -> !values.containsKey(name))
                .forEach(name -> changes.add("DROP " + name));
        return changes.isEmpty() ? "" : "OPTIONS (" + String.join(", ", changes) + ")";
    }
}
