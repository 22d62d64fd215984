package io.nightshift.infra.schema;

import com.github.luben.zstd.Zstd;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A schema as bytes: its objects as JSON, compressed with zstd. In the first format the kinds that were looked at are not
 * written, nor definitions as the server printed them; in the second, lists of names stand in settings as the server keeps them.
 *
 * @param kinds those that were looked at
 */
record SchemaDocument(
        int formatVersion,
        List<SchemaObject> objects,
        @Nullable Set<String> kinds) {

    private static final int FORMAT_VERSION = 3;
    private static final int LEVEL = 3;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    static byte[] write(Schema schema) {
        Set<String> kinds = schema.kinds().stream().map(ObjectKind::name).collect(Collectors.toSet());
        return Zstd.compress(
                JSON.writeValueAsBytes(new SchemaDocument(FORMAT_VERSION, List.copyOf(schema.objects()), kinds)),
                LEVEL);
    }

    static Schema read(byte[] bytes) {
        byte[] json = Zstd.decompress(bytes, Math.toIntExact(Zstd.getFrameContentSize(bytes)));
        SchemaDocument document = JSON.readValue(json, SchemaDocument.class);
        Set<String> kinds = document.kinds();
        EnumSet<ObjectKind> looked = EnumSet.allOf(ObjectKind.class);
        looked.removeIf(kind -> kinds == null ? kind.isSinceSecondFormat() : !kinds.contains(kind.name()));
        return new Schema(
                document.formatVersion() == FORMAT_VERSION
                        ? document.objects()
                        : document.objects().stream()
                                .map(object -> inWordsOfToday(object, kinds == null))
                                .toList(),
                looked);
    }

    private static SchemaObject inWordsOfToday(SchemaObject object, boolean isOfFirstFormat) {
        String definition = ForeignOptions.withoutDigests(object.kind(), object.definition());
        return new SchemaObject(
                object.kind(),
                object.name(),
                object.parent(),
                object.kind() == ObjectKind.SETTING
                        ? Setting.of(object.name()).definitionOfSecondFormat(definition)
                        : isOfFirstFormat ? CanonicalText.of(object.kind(), definition) : definition,
                object.needs(),
                object.printed());
    }
}
