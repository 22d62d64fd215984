package io.nightshift.scheduler.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Aligned columns under a header; numbers to the right. */
final class TextTable {

    private static final Pattern NUMBER = Pattern.compile("[0-9.,:]+( ?[A-Za-z%/]{1,4})?|-?");

    private final List<String> header;
    private final List<List<String>> rows = new ArrayList<>();

    TextTable(String... header) {
        this.header = List.of(header);
    }

    TextTable(List<String> header) {
        this.header = header;
    }

    void row(String... cells) {
        rows.add(List.of(cells));
    }

    void row(List<String> cells) {
        rows.add(cells);
    }

    void print(PrintWriter out) {
        print(out, "");
    }

    void print(PrintWriter out, String indent) {
        lines(out, indent, List.of(header));
        printRows(out, indent);
    }

    /** Without the header. */
    void printRows(PrintWriter out, String indent) {
        lines(out, indent, rows);
    }

    private void lines(PrintWriter out, String indent, List<List<String>> lines) {
        List<Column> columns =
                IntStream.range(0, header.size()).mapToObj(this::column).toList();
        for (List<String> row : lines) {
            StringBuilder line = new StringBuilder(indent);
            for (int column = 0; column < row.size(); column++) {
                line.append(columns.get(column).padded(row.get(column))).append("  ");
            }
            out.println(line.toString().stripTrailing());
        }
    }

    /** How its cells are laid out. */
    private record Column(int width, boolean isNumeric) {

        String padded(String cell) {
            String padding = " ".repeat(Math.max(0, width - cell.length()));
            return isNumeric ? padding + cell : cell + padding;
        }
    }

    private Column column(int number) {
        int width = header.get(number).length();
        boolean isNumeric = !rows.isEmpty();
        for (List<String> row : rows) {
            String cell = row.get(number);
            width = Math.max(width, cell.length());
            isNumeric = isNumeric && NUMBER.matcher(cell).matches();
        }
        return new Column(width, isNumeric);
    }
}
