package io.nightshift.jobs.backup;

/**
 * A relation with damaged pages.
 *
 * @param what such as {@code table public.bills in database chanuka}
 * @param remedy what mends it, beyond the machine that broke it
 */
record DamagedRelation(String what, String remedy) {}
