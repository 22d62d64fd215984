package io.nightshift.infra.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What happens if you change this setting: the line that {@code config show --job-type} prints beside it. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Describe {
    String value();

    /** Whether it is said on the command line, of one run, and never in a file. */
    boolean oneRun() default false;
}
