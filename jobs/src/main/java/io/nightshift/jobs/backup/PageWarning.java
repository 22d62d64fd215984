package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.TablespaceInfo;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server says about the pages of one file that it sends. src/backend/backup/basebackup.c has three such
 * warnings; the servers' lc_messages translates their words and quotation marks, but the file stays quoted and the
 * numbers stay behind it in their order, so these decide.
 *
 * @param path from the data directory on, as the manifest names the file
 * @param number by kind: a block, counted from the beginning of the file, or a number of pages
 */
record PageWarning(Kind kind, String path, long number) {

    enum Kind {
        /** "checksum verification failed in file %s, block %u: calculated %X but expected %X". */
        WRONG_PAGE,
        /** "file %s has a total of %d checksum verification failures"; of each file only five are named. */
        TOTAL,
        /** "could not verify checksum in file %s, block %u: read buffer size %d and page size %d differ". */
        NOT_CHECKED
    }

    private static final String OPENING = "[\"»«„“][\\s\\u00a0\\u202f]*";
    private static final String REST_OF_PATH = "[^\"»«”“]*?(?=[\\s\\u00a0\\u202f]*[\"»«”“])";
    private static final Pattern QUOTED = Pattern.compile(OPENING + "(?<path>(?:\\./)?" + REST_OF_PATH + ")");
    private static final Pattern NUMBER = Pattern.compile("(?<![A-Za-z0-9])[0-9A-F]+(?![A-Za-z0-9])");
    private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,10}");
    private static final Pattern SEGMENT = Pattern.compile("/[0-9]+(?:_[a-z]+)?\\.([0-9]{1,5})$");
    private static final String PAGE_SIZE = "8192";
    private static final long BLOCKS_PER_SEGMENT = 131_072;

    /** Empty for whatever else a server says. */
    static Optional<PageWarning> parse(ServerNotice notice, List<TablespaceInfo> tablespaces) {
        if (!notice.severity().equals("WARNING")) {
            return Optional.empty();
        }
        for (TablespaceInfo tablespace : tablespaces) {
            if (!tablespace.isDataDirectory()) {
                Matcher file = Pattern.compile(
                                Pattern.quote(tablespace.location()) + "(?<path>/PG_" + REST_OF_PATH + ")")
                        .matcher(notice.message());
                if (file.find()) {
                    String folder = "pg_tblspc/" + Long.toUnsignedString(tablespace.oid());
                    return of(folder + file.group("path"), numbers(notice.message(), file.end()));
                }
            }
        }
        Matcher file = QUOTED.matcher(notice.message());
        if (!file.find()) {
            return Optional.empty();
        }
        String path = file.group("path");
        return of(path.startsWith("./") ? path.substring(2) : path, numbers(notice.message(), file.end()));
    }

    private static List<String> numbers(String message, int from) {
        return NUMBER.matcher(message.substring(from))
                .results()
                .map(MatchResult::group)
                .toList();
    }

    private static Optional<PageWarning> of(String path, List<String> numbers) {
        if (numbers.isEmpty() || !DECIMAL.matcher(numbers.get(0)).matches()) {
            return Optional.empty();
        }
        long first = Long.parseLong(numbers.get(0));
        return switch (numbers.size()) {
            case 1 -> Optional.of(new PageWarning(Kind.TOTAL, path, first));
            case 3 ->
                Optional.of(new PageWarning(
                        numbers.get(2).equals(PAGE_SIZE) && isPartOfPage(numbers.get(1))
                                ? Kind.NOT_CHECKED
                                : Kind.WRONG_PAGE,
                        path,
                        blockInFile(path, first)));
            default -> Optional.empty();
        };
    }

    private static boolean isPartOfPage(String number) {
        return DECIMAL.matcher(number).matches() && Long.parseLong(number) % Long.parseLong(PAGE_SIZE) != 0;
    }

    /** PostgreSQL 15 and 16 count from the beginning of the file, 17 and 18 from the beginning of the relation. */
    private static long blockInFile(String path, long block) {
        Matcher segment = SEGMENT.matcher(path);
        long before = segment.find() ? Long.parseLong(segment.group(1)) * BLOCKS_PER_SEGMENT : 0;
        return block >= before ? block - before : block;
    }
}
