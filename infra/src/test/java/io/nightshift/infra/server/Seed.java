package io.nightshift.infra.server;

import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * The seeds of randomised tests: a fixed one, so that a failure repeats, and a new one at each build, so that we learn
 * something; {@code -Dseed=N} runs that one only. For {@code @MethodSource}.
 */
public record Seed(long number) {

    private static final List<Seed> SEEDS = choose();

    public static List<Seed> underTest() {
        return SEEDS;
    }

    /** A generator that begins afresh at each call. */
    public Random random() {
        return new Random(number);
    }

    private static List<Seed> choose() {
        String given = System.getProperty("seed", "");
        List<Seed> seeds = given.isBlank()
                ? List.of(
                        new Seed(20_261_122),
                        new Seed(RandomGenerator.getDefault().nextInt(Integer.MAX_VALUE)))
                : List.of(new Seed(Long.parseLong(given.strip())));
        System.out.println("seeds of this test run: " + seeds + "; repeat one with -Dseed=N");
        return seeds;
    }

    @Override
    public String toString() {
        return Long.toString(number);
    }
}
