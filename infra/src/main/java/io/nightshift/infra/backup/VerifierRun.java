package io.nightshift.infra.backup;

import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;

/** Who watches a verification and may stop it. */
record VerifierRun(Progress progress, Cancellation cancellation) {}
