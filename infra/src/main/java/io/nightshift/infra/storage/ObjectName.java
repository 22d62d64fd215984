package io.nightshift.infra.storage;

import java.util.regex.Pattern;

/**
 * Which object names are accepted: parts of ASCII letters, digits and {@code . _ - = @ ~}, at most 200 characters, none
 * beginning with a dot, separated by single slashes; at most 900 characters in all. These mean the same to every file
 * system and object store, sort the same everywhere, and cannot leave the storage or meet our temporary files.
 */
final class ObjectName {

    private static final int LONGEST = 900;
    private static final Pattern PART = Pattern.compile("[A-Za-z0-9_=@~-][A-Za-z0-9._=@~-]{0,199}");

    private ObjectName() {}

    /** The name itself, if it is one; otherwise an IllegalArgumentException: names are made by us, a bad one is a bug. */
    static String check(String object) {
        if (object.length() <= LONGEST) {
            boolean good = true;
            for (String part : object.split("/", -1)) {
                good &= isPart(part);
            }
            if (good) {
                return object;
            }
        }
        throw new IllegalArgumentException(
                "\"" + printable(object) + "\" is not an object name: parts of letters, digits"
                        + " and . _ - = @ ~ are accepted, with a slash between, none beginning with a dot");
    }

    static boolean isPart(String part) {
        return PART.matcher(part).matches();
    }

    private static String printable(String object) {
        String start = object.length() <= 100 ? object : object.substring(0, 100) + "…";
        return start.replaceAll("\\p{Cntrl}", "?");
    }
}
