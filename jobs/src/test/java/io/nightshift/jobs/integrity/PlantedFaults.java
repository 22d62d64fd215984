package io.nightshift.jobs.integrity;

import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A server without checksums with two databases: {@code sound}, full of odd objects, and {@code faulty}, one fault a table. */
final class PlantedFaults {

    static final Map<String, String> SETTINGS = Map.of("autovacuum", "off", "max_locks_per_transaction", "256");

    /** Line pointers of PostgreSQL's own t/001_verify_heapam.pl. */
    private static final int[] JUNK = {0xAAA15550, 0xAAA0D550, 0x00010000, 0x00008000, 0x0000800F, 0x001e8000};

    private PlantedFaults() {}

    static TestPostgres start(int major) {
        TestPostgres postgres = TestPostgres.startWithoutChecksums(major, SETTINGS);
        try {
            String like = " TEMPLATE template0 ENCODING 'UTF8' STRATEGY file_copy";
            postgres.execute(
                    "postgres",
                    "CREATE DATABASE sound" + like,
                    "CREATE DATABASE faulty" + like,
                    "CREATE EXTENSION amcheck");
            odd(postgres, major);
            faults(postgres, major);
            return postgres;
        } catch (RuntimeException | Error e) {
            postgres.close();
            throw e;
        }
    }

    private static void odd(TestPostgres postgres, int major) {
        String wide = String.join(
                ", ",
                IntStream.range(0, 1600)
                        .mapToObj(i -> "c" + i + " int NOT NULL DEFAULT 1")
                        .toList());
        postgres.execute(
                "sound",
                "CREATE EXTENSION amcheck",
                "CREATE SCHEMA \"we.ird \"\"q\"\"\"",
                "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
                "CREATE TABLE parent (id bigint PRIMARY KEY, code varchar(20) UNIQUE, d positive UNIQUE)",
                "INSERT INTO parent SELECT i, 'c' || i, i FROM generate_series(1, 3000) i",
                "CREATE TABLE child (id serial PRIMARY KEY, parent int REFERENCES parent, code text REFERENCES parent (code)"
                        + " DEFERRABLE INITIALLY DEFERRED, d int REFERENCES parent (d), self int REFERENCES child,"
                        + " twice int GENERATED ALWAYS AS (parent * 2) STORED, CHECK (parent > 0), CHECK (d IS NULL OR d < 5000))",
                "INSERT INTO child (parent, code, d, self) SELECT i, 'c' || i, i, i FROM generate_series(1, 3000) i",
                "INSERT INTO child (parent) VALUES (NULL)",
                "CREATE TABLE tagged (id int PRIMARY KEY, tags int[])",
                "INSERT INTO tagged SELECT i, ARRAY[i, i % 7, -1] FROM generate_series(1, 3000) i",
                "CREATE INDEX tagged_gin ON tagged USING gin (tags)",
                "CREATE INDEX child_hash ON child USING hash (code)",
                "CREATE INDEX child_brin ON child USING brin (id)",
                "CREATE UNIQUE INDEX child_odd ON child (lower(code) DESC, d) INCLUDE (self) WHERE d > 7",
                "CREATE UNIQUE INDEX child_pattern ON child (code text_pattern_ops)",
                "CREATE TABLE pp (a int, b int, PRIMARY KEY (a, b)) PARTITION BY RANGE (a)",
                "CREATE TABLE pp1 PARTITION OF pp FOR VALUES FROM (0) TO (100)",
                "CREATE TABLE pp2 PARTITION OF pp FOR VALUES FROM (100) TO (1000) PARTITION BY LIST (b)",
                "CREATE TABLE pp2a PARTITION OF pp2 DEFAULT",
                "CREATE INDEX ON pp1 (b)",
                "CREATE INDEX pp_lone ON ONLY pp1 (a)",
                "CREATE TABLE pc (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES pp MATCH FULL)"
                        + " PARTITION BY LIST (id)",
                "CREATE TABLE pc_other (b int, dropped text, a int, id int NOT NULL)",
                "ALTER TABLE pc_other DROP dropped",
                "ALTER TABLE pc ATTACH PARTITION pc_other FOR VALUES IN (1, 2)",
                "CREATE TABLE pc_rest PARTITION OF pc DEFAULT",
                "INSERT INTO pp SELECT i, i FROM generate_series(1, 900) i",
                "INSERT INTO pc SELECT i, i, i FROM generate_series(1, 900) i",
                "INSERT INTO pc VALUES (901, NULL, NULL)",
                "CREATE TABLE room (id int PRIMARY KEY, during int4range, EXCLUDE USING gist (during WITH &&))",
                "INSERT INTO room VALUES (1, '[1,2)'), (2, '[2,3)')",
                "CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (parent)",
                "INSERT INTO heir VALUES (1, 'c1', 1)",
                "CREATE TABLE \"we.ird \"\"q\"\"\".\"ta.b'le ✓ {ts} %s\" (\"c ol'%\" int PRIMARY KEY,"
                        + " \"{x} ?\" int REFERENCES \"we.ird \"\"q\"\"\".\"ta.b'le ✓ {ts} %s\","
                        + " s serial UNIQUE, d text CHECK (d <> 'x?{d ''1''}\\'))",
                "INSERT INTO \"we.ird \"\"q\"\"\".\"ta.b'le ✓ {ts} %s\" VALUES (1, 1, DEFAULT, 'y')",
                "CREATE TABLE wide (" + wide + ", PRIMARY KEY (c0))",
                "INSERT INTO wide DEFAULT VALUES",
                "CREATE TABLE blank (id int PRIMARY KEY, doc jsonb, nulls int UNIQUE NULLS NOT DISTINCT)",
                "CREATE INDEX blank_gin ON blank USING gin (doc)",
                "CREATE MATERIALIZED VIEW seen AS SELECT id FROM ONLY parent",
                "CREATE UNIQUE INDEX ON seen (id)",
                "CREATE MATERIALIZED VIEW unseen AS SELECT id FROM parent WITH NO DATA",
                "CREATE VIEW shown AS SELECT id FROM parent",
                "CREATE FOREIGN DATA WRAPPER nowhere",
                "CREATE SERVER far FOREIGN DATA WRAPPER nowhere",
                "CREATE FOREIGN TABLE distant (id int NOT NULL CHECK (id > 0)) SERVER far",
                "CREATE TABLE long (id int PRIMARY KEY, body text)",
                "ALTER TABLE long ALTER body SET STORAGE EXTERNAL",
                "INSERT INTO long SELECT i, repeat('long ', 5000) FROM generate_series(1, 20) i");
        if (major >= 18) {
            postgres.execute(
                    "sound",
                    "CREATE TABLE virtual (id int PRIMARY KEY, half int GENERATED ALWAYS AS (id / 2) NOT NULL)",
                    "INSERT INTO virtual VALUES (1)",
                    "CREATE TABLE unenforced (id int PRIMARY KEY, n int, p int,"
                            + " CONSTRAINT low CHECK (n < 0) NOT ENFORCED, FOREIGN KEY (p) REFERENCES virtual NOT ENFORCED)",
                    "INSERT INTO unenforced VALUES (1, 5, 99)");
        }
    }

    private static void faults(TestPostgres postgres, int major) {
        String replica = "SET session_replication_role = replica";
        List<String> files = List.of("torn", "bent", "misled_name", "gone", "lost_pkey", "jammed_words");
        postgres.execute(
                "faulty",
                "CREATE EXTENSION amcheck",
                "CREATE TABLE torn (id int PRIMARY KEY, filler text)",
                "INSERT INTO torn SELECT i, repeat('x', 100) FROM generate_series(1, 300) i",
                "CREATE TABLE bent (name text PRIMARY KEY)",
                "INSERT INTO bent SELECT 'b-' || 100000 + i FROM generate_series(1, 300) i",
                "CREATE TABLE misled (id int PRIMARY KEY, name text)",
                "INSERT INTO misled SELECT i, 'm-' || 100000 + i FROM generate_series(1, 300) i",
                "CREATE INDEX misled_name ON misled (name)",
                "CREATE TABLE jammed (id int PRIMARY KEY, words text[])",
                "INSERT INTO jammed VALUES (1, '{aaaaa,bbbbb}')",
                "CREATE INDEX jammed_words ON jammed USING gin (words)",
                "CREATE TABLE gone (id int PRIMARY KEY)",
                "INSERT INTO gone SELECT i FROM generate_series(1, 300) i",
                "CREATE TABLE lost (id int PRIMARY KEY)",
                "INSERT INTO lost SELECT i FROM generate_series(1, 300) i",
                "CREATE FUNCTION up (a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp(a, b)'",
                "CREATE FUNCTION down (a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp(b, a)'",
                "CREATE OPERATOR CLASS fickle FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,"
                        + " OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 up (int, int)",
                "CREATE TABLE turned (id int PRIMARY KEY, n int)",
                "INSERT INTO turned SELECT i, i FROM generate_series(1, 300) i",
                "CREATE INDEX turned_n ON turned (n fickle)",
                "UPDATE pg_amproc SET amproc = 'down'::regproc WHERE amproc = 'up'::regproc",
                // rows without parents
                "CREATE TABLE mother (id bigint PRIMARY KEY, a int, b int, UNIQUE (a, b))",
                "INSERT INTO mother VALUES (1, 1, 1)",
                "CREATE TABLE orphan (id int PRIMARY KEY, mother int REFERENCES mother)",
                "CREATE TABLE half (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES mother (a, b) MATCH FULL)",
                "CREATE TABLE pair (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES mother (a, b))",
                "CREATE TABLE chain (id int PRIMARY KEY, previous int REFERENCES chain)",
                "CREATE TABLE parts (id int PRIMARY KEY, mother bigint REFERENCES mother) PARTITION BY RANGE (id)",
                "CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM (0) TO (10)",
                replica,
                "INSERT INTO orphan SELECT i, 1 FROM generate_series(1, 2000) i",
                "INSERT INTO orphan SELECT i, i FROM generate_series(2001, 2007) i",
                "INSERT INTO half VALUES (1, 1, 1), (2, NULL, NULL), (3, 1, NULL)",
                "INSERT INTO pair VALUES (1, 1, 1), (2, 7, NULL), (3, 1, 2)",
                "INSERT INTO chain VALUES (1, 1), (2, 1), (3, 9)",
                "INSERT INTO parts VALUES (1, 1), (2, 8)",
                "RESET session_replication_role",
                // rows that break other promises
                "CREATE TABLE checked (id int PRIMARY KEY, n int)",
                "INSERT INTO checked VALUES (1, 1), (2, -1), (3, NULL)",
                "ALTER TABLE checked ADD CONSTRAINT above CHECK (n > 0) NOT VALID",
                "UPDATE pg_constraint SET convalidated = true WHERE conname = 'above'",
                "CREATE TABLE hollow (id int PRIMARY KEY, v text)",
                "INSERT INTO hollow VALUES (1, 'x'), (2, NULL)",
                "UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'hollow'::regclass AND attname = 'v'",
                "CREATE TABLE doubled (id int PRIMARY KEY, code text, n int, m int)",
                "CREATE UNIQUE INDEX doubled_code ON doubled (lower(code)) WHERE id > 1",
                "CREATE UNIQUE INDEX doubled_n ON doubled (n) NULLS NOT DISTINCT",
                "CREATE UNIQUE INDEX doubled_m ON doubled (m)",
                "UPDATE pg_index SET indisunique = false WHERE indexrelid IN"
                        + " ('doubled_code'::regclass, 'doubled_n'::regclass, 'doubled_m'::regclass)");
        postgres.execute(
                "faulty",
                "INSERT INTO doubled VALUES (1, 'a', 1, NULL), (2, 'a', NULL, NULL), (3, 'A', NULL, 3), (4, 'b', 4, 4)",
                "UPDATE pg_index SET indisunique = true WHERE indexrelid IN"
                        + " ('doubled_code'::regclass, 'doubled_n'::regclass, 'doubled_m'::regclass)",
                // what the catalogs say
                "CREATE TABLE muted (id int PRIMARY KEY, mother bigint REFERENCES mother)",
                "ALTER TABLE muted DISABLE TRIGGER ALL",
                "CREATE TABLE lax (id int PRIMARY KEY, n int)",
                "INSERT INTO lax VALUES (1, -1)",
                "ALTER TABLE lax ADD CONSTRAINT later CHECK (n > 0) NOT VALID",
                "CREATE TABLE narrow (id smallserial PRIMARY KEY)",
                "SELECT setval('narrow_id_seq', 32000)",
                "CREATE TABLE late (id serial PRIMARY KEY)",
                "INSERT INTO late VALUES (10)",
                "SELECT setval('late_id_seq', 5)",
                "CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY)",
                "CREATE TABLE keyless (n int)",
                "CREATE EXTENSION pg_visibility",
                "UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'pg_visibility'",
                "CREATE TABLE sorted (id int PRIMARY KEY, t text COLLATE \"af-x-icu\")",
                "CREATE INDEX sorted_t ON sorted (t)",
                "UPDATE pg_collation SET collversion = '0' WHERE collname = 'af-x-icu'",
                "CREATE DOMAIN even AS int",
                "CREATE TABLE domained (id int PRIMARY KEY, n even)",
                "INSERT INTO domained VALUES (1, 2), (2, 3), (3, NULL)",
                "ALTER DOMAIN even ADD CONSTRAINT halves CHECK (VALUE % 2 = 0) NOT VALID",
                "UPDATE pg_constraint SET convalidated = true WHERE conname = 'halves'",
                "CREATE TABLE bounded (id int PRIMARY KEY) PARTITION BY RANGE (id)",
                "CREATE TABLE bounded1 (id int PRIMARY KEY, CONSTRAINT trusted CHECK (id >= 0 AND id < 10) NOT VALID)",
                "ALTER TABLE bounded1 DROP CONSTRAINT trusted",
                "INSERT INTO bounded1 VALUES (5), (99)",
                "ALTER TABLE bounded1 ADD CONSTRAINT trusted CHECK (id >= 0 AND id < 10) NOT VALID",
                "UPDATE pg_constraint SET convalidated = true WHERE conname = 'trusted'",
                "ALTER TABLE bounded ATTACH PARTITION bounded1 FOR VALUES FROM (0) TO (10)",
                "ALTER TABLE bounded1 DROP CONSTRAINT trusted",
                "CREATE TABLE booked (id int PRIMARY KEY, during int4range,"
                        + " EXCLUDE USING gist (during WITH &&) DEFERRABLE INITIALLY DEFERRED)",
                replica,
                "INSERT INTO booked VALUES (1, '[1,5)'), (2, '[4,6)'), (3, '[6,7)')",
                "RESET session_replication_role",
                "CREATE TABLE unasked (id serial PRIMARY KEY)",
                "INSERT INTO unasked VALUES (3)",
                "CREATE TABLE twins (id int PRIMARY KEY, n int)",
                "INSERT INTO twins VALUES (1, 1), (2, 1)");
        try {
            postgres.execute("faulty", "CREATE UNIQUE INDEX CONCURRENTLY twins_n ON twins (n)");
        } catch (IllegalStateException expected) {
            // it leaves an invalid index
        }
        if (major >= 18) {
            postgres.execute(
                    "faulty",
                    "CREATE TABLE stay (room int4range, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS))");
        }
        List<Path> paths = new ArrayList<>();
        for (String file : files) {
            paths.add(postgres.dataDirectory().resolve(path(postgres, file)));
        }
        postgres.stop();
        try {
            junk(paths.get(0));
            replace(paths.get(1), "b-100123", "b-900123");
            replace(paths.get(2), "m-100123", "m-100923");
            Files.delete(paths.get(3));
            Files.delete(paths.get(4));
            replace(paths.get(5), "aaaaa", "ccccc");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        postgres.restart();
    }

    /** What is to be found in it, each once. */
    static List<String> keys(int major) {
        List<String> keys = new ArrayList<>(List.of(
                "integrity/checksums-off/chanuka",
                "integrity/heap/faulty.public.torn",
                "integrity/btree/faulty.public.bent_pkey",
                "integrity/btree/faulty.public.misled_name",
                "integrity/open/faulty.public.gone",
                "integrity/btree/faulty.public.lost_pkey",
                "integrity/btree/faulty.public.turned_n",
                "integrity/foreign-key/faulty.public.orphan.orphan_mother_fkey",
                "integrity/foreign-key/faulty.public.half.half_a_b_fkey",
                "integrity/foreign-key/faulty.public.pair.pair_a_b_fkey",
                "integrity/foreign-key/faulty.public.chain.chain_previous_fkey",
                "integrity/foreign-key/faulty.public.parts1.parts_mother_fkey",
                "integrity/check-constraint/faulty.public.checked.above",
                "integrity/check-constraint/faulty.public.lax.later",
                "integrity/not-null/faulty.public.hollow",
                "integrity/domain/faulty.public.domained.n.halves",
                "integrity/partition-bound/faulty.public.bounded1",
                "integrity/exclusion/faulty.public.booked.booked_during_excl",
                "integrity/sequence-behind/faulty.public.unasked_id_seq",
                "integrity/unique/faulty.public.doubled_code",
                "integrity/unique/faulty.public.doubled_n",
                "integrity/disabled-trigger/faulty.public.muted",
                "integrity/not-valid/faulty.public.lax.later",
                "integrity/sequence-end/faulty.public.narrow_id_seq",
                "integrity/sequence-behind/faulty.public.late_id_seq",
                "integrity/unlogged/faulty.public.fleeting",
                "integrity/no-primary-key/faulty.public.keyless",
                "integrity/extension/faulty.pg_visibility",
                "integrity/collation/faulty.pg_catalog.\"af-x-icu\"",
                "integrity/invalid-index/faulty.public.twins_n"));
        if (major >= 18) {
            keys.addAll(List.of(
                    "integrity/gin/faulty.public.jammed_words",
                    "integrity/not-enforced/sound.public.unenforced.low",
                    "integrity/not-enforced/sound.public.unenforced.unenforced_p_fkey"));
        }
        return keys;
    }

    /** The tables that have a fault each. */
    static List<String> tables(int major) {
        List<String> tables = new ArrayList<>(List.of(
                "torn",
                "bent",
                "misled",
                "gone",
                "lost",
                "turned",
                "orphan",
                "half",
                "pair",
                "chain",
                "parts",
                "checked",
                "lax",
                "hollow",
                "doubled",
                "muted",
                "narrow",
                "late",
                "fleeting",
                "keyless",
                "sorted",
                "domained",
                "bounded",
                "booked",
                "unasked",
                "twins"));
        if (major >= 18) {
            tables.add("jammed");
        }
        return tables;
    }

    /** What is to be found in database {@code lone}, which has only one of them. */
    static List<String> keys(int major, String table) {
        return keys(major).stream()
                .filter(key -> key.matches("integrity/checksums-off/.*|.*/faulty\\.public\\." + table + "1?([._].*)?")
                        || (table.equals("sorted") && key.startsWith("integrity/collation/")))
                .map(key -> key.replace("faulty", "lone"))
                .toList();
    }

    /** Makes database {@code lone}; the others are not looked at any more. */
    static void isolate(TestPostgres postgres, String table) {
        postgres.execute(
                "postgres",
                "ALTER DATABASE sound ALLOW_CONNECTIONS false",
                "ALTER DATABASE faulty ALLOW_CONNECTIONS false",
                "DROP DATABASE IF EXISTS lone",
                "CREATE DATABASE lone TEMPLATE faulty STRATEGY file_copy");
        postgres.execute("lone", "DROP EXTENSION pg_visibility", """
                DO $$
                DECLARE t regclass;
                BEGIN
                    FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                                AND NOT relispartition AND relname NOT IN ('mother', '%s') LOOP
                        EXECUTE format('DROP TABLE %%s CASCADE', t);
                    END LOOP;
                END $$
                """.formatted(table));
    }

    private static String path(TestPostgres postgres, String relation) {
        try (var connection = postgres.connect("faulty");
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT pg_relation_filepath('" + relation + "')")) {
            row.next();
            return row.getString(1);
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void junk(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer pages = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < JUNK.length; i++) {
            pages.putInt(Piece.BLOCK + 32 + 4 * i, JUNK[i]);
        }
        Files.write(file, bytes);
    }

    private static void replace(Path file, String old, String other) throws IOException {
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        if (!bytes.contains(old)) {
            throw new IllegalStateException(file + " has no " + old);
        }
        Files.writeString(file, bytes.replaceFirst(old, other), StandardCharsets.ISO_8859_1);
    }
}
