package io.nightshift.scheduler.cli;

import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaDifference;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Compared schemas as programs read them. */
final class SchemaDiffJson {

    private SchemaDiffJson() {}

    static Map<String, @Nullable Object> of(ComparedSchema compared) {
        Schema live = compared.live();
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("database", compared.database());
        document.put("against", compared.against());
        document.put("objects", live == null ? null : live.size());
        document.put("fingerprint", live == null ? null : live.fingerprint());
        document.put(
                "differences",
                compared.differences().stream().map(SchemaDiffJson::difference).toList());
        document.put(
                "statements",
                compared.comparison() == null
                        ? List.of()
                        : compared.comparison().statements());
        document.put("byHand", compared.byHand());
        document.put("notEvaluated", compared.notEvaluated());
        return document;
    }

    private static Map<String, @Nullable Object> difference(SchemaDifference difference) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("object", difference.object());
        json.put("difference", difference.word());
        json.put("expected", difference.expected());
        json.put("actual", difference.actual());
        json.put("inside", difference.inside());
        json.put("information", difference.isInformation());
        json.put("statements", difference.statements());
        return json;
    }
}
