package io.nightshift.infra.restore;

import java.nio.file.Path;
import java.util.List;

/**
 * A file with what was wanted out of a backup.
 *
 * @param tables whose rows are in it; empty of a whole database
 * @param rows -1 where nobody has counted
 */
public record ExtractedFile(Path file, List<String> tables, long rows) {}
