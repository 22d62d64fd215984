package io.nightshift.scheduler.report;

import java.util.List;

/** HTML in the making. Text goes in escaped; only tags of our own do not. */
final class Page {

    private final StringBuilder html = new StringBuilder();

    /** Text from anywhere: job names, messages of servers, file names. */
    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(c < ' ' && c != '\n' && c != '\t' ? '?' : c);
            }
        });
        return escaped.toString();
    }

    Page raw(String tags) {
        html.append(tags);
        return this;
    }

    Page text(String text) {
        html.append(escaped(text));
        return this;
    }

    Page element(String tag, String text) {
        return element(tag, "", text);
    }

    Page element(String tag, String styleClass, String text) {
        html.append('<').append(tag);
        if (!styleClass.isEmpty()) {
            html.append(" class=\"").append(styleClass).append('"');
        }
        html.append('>').append(escaped(text)).append("</").append(tag).append('>');
        return this;
    }

    /** A heading with a table below it. A header that begins with {@code #} is of numbers. */
    Page table(String title, String caption, List<String> header) {
        return table(title, "", caption, header);
    }

    /** The same for a table of sentences: on a phone its rows become paragraphs. */
    Page sentences(String title, List<String> header) {
        return table(title, " class=\"stack\"", "", header);
    }

    private Page table(String title, String styleClass, String caption, List<String> header) {
        element("h2", title);
        html.append("\n<div class=\"wide\"><table").append(styleClass).append('>');
        if (!caption.isEmpty()) {
            element("caption", caption);
        }
        html.append("<thead><tr>");
        for (String name : header) {
            boolean number = name.startsWith("#");
            html.append("<th scope=\"col\"").append(number ? " class=\"n\">" : ">");
            html.append(escaped(number ? name.substring(1) : name)).append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        return this;
    }

    Page endTable() {
        html.append("</tbody></table></div>\n");
        return this;
    }

    @Override
    public String toString() {
        return html.toString();
    }
}
