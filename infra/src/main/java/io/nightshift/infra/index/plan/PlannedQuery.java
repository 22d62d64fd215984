package io.nightshift.infra.index.plan;

import io.nightshift.infra.workload.Query;

/** A query and its generic plan. */
public record PlannedQuery(Query query, PlanNode plan) {}
