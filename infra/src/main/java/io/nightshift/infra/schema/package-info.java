/**
 * The schema of a database as a set of named objects with definitions: read from the catalogs, compared object by object with
 * another one, and with the statements that would make the one into the other. No statement loses a row, a value or the meaning
 * of an object without a comment before it that says so. Not looked at: classes and families of operators, text search parsers
 * and templates, languages, connections of subscriptions, rights on system tables, comments, tablespaces, storage of columns,
 * and whatever belongs to an extension.
 */
@NullMarked
package io.nightshift.infra.schema;

import org.jspecify.annotations.NullMarked;
