package io.nightshift.infra.index.plan;

/**
 * The planner's cost settings (PostgreSQL manual, "Planner Cost Constants").
 *
 * @param cachePages {@code effective_cache_size}
 */
record PlannerCosts(
        double seqPage, double randomPage, double tuple, double indexTuple, double operator, double cachePages) {}
