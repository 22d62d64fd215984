package io.nightshift.infra.run;

/** Something that was asked for and could not be judged; a run with one of these is never plain green. */
public record NotEvaluated(String subject, String reason) {}
