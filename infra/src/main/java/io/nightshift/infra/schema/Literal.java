package io.nightshift.infra.schema;

/** Texts as SQL takes them, whatever is in them. */
final class Literal {

    private Literal() {}

    /** The same whether strings conform to the standard or not. */
    static String of(String text) {
        String quoted = "'" + text.replace("'", "''") + "'";
        return text.contains("\\") ? "E" + quoted.replace("\\", "\\\\") : quoted;
    }

    /** Between dollars, as people read it more easily. */
    static String inDollars(String tag, String text) {
        String dollars = "$" + tag;
        while (text.contains(dollars)) {
            dollars += "_";
        }
        return dollars + "$" + text + dollars + "$";
    }
}
