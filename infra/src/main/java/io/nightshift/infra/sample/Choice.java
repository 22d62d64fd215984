package io.nightshift.infra.sample;

import java.time.LocalDate;
import java.util.Collection;
import java.util.List;
import java.util.SplittableRandom;

/** The chances of one transaction: the same seed and number choose the same. Skewed as the sample's data is. */
final class Choice {

    /** How many rows there are to choose from. */
    record Population(long users, long bills, int legislators, int tags) {}

    private static final LocalDate FIRST_BILL = LocalDate.of(2024, 11, 1);
    private static final LocalDate FIRST_EVENT = LocalDate.of(2025, 11, 1);
    private static final int SPREAD = 7919;
    private static final long ODD = 0xD1342543DE82EF95L;

    private static final List<String> TOPICS = List.of(
            "health",
            "education",
            "finance",
            "transport",
            "agriculture",
            "energy",
            "security",
            "environment",
            "land",
            "labour",
            "technology",
            "culture");
    private static final List<String> STATUSES =
            List.of("committee", "introduced", "floor", "passed", "enacted", "rejected", "withdrawn");
    private static final List<String> DIGESTS = List.of("daily", "weekly");
    private static final List<String> BALLOTS = List.of("aye", "nay", "abstain");
    private static final List<String> WORDS = List.of(
            "hospital",
            "vaccine",
            "school",
            "bursary",
            "tax",
            "pension",
            "road",
            "maize",
            "solar",
            "police",
            "forest",
            "privacy",
            "audit",
            "penalty",
            "tribunal",
            "petition",
            "quorum");

    private final SplittableRandom random;
    private final Population population;

    Choice(long seed, long number, Population population) {
        this.random = new SplittableRandom(seed + number * ODD);
        this.population = population;
    }

    ChanukaTransaction kind(Collection<ChanukaTransaction> kinds) {
        int all = kinds.stream().mapToInt(ChanukaTransaction::perThousand).sum();
        int left = random.nextInt(all);
        for (ChanukaTransaction kind : kinds) {
            left -= kind.perThousand();
            if (left < 0) {
                return kind;
            }
        }
        throw new AssertionError(left);
    }

    /** A value for a parameter of a transaction. */
    Object of(String parameter) {
        return switch (parameter) {
            case "any_bill" -> 1 + random.nextLong(population.bills());
            case "hot_bill" -> spread(skewed(6), population.bills());
            case "busy_user" -> spread(skewed(3), population.users());
            case "legislator" -> 1 + random.nextInt(population.legislators());
            case "tag" -> 1 + random.nextInt(population.tags());
            case "topic" -> oneOf(TOPICS);
            case "status" -> oneOf(STATUSES);
            case "words" -> random.nextBoolean() ? oneOf(WORDS) : oneOf(WORDS) + " " + oneOf(WORDS);
            case "introduced_on" -> FIRST_BILL.plusDays(random.nextInt(680));
            case "engaged_on" -> FIRST_EVENT.plusDays(random.nextInt(355));
            case "seconds" -> random.nextInt(600);
            case "digest" -> oneOf(DIGESTS);
            case "ballot" -> oneOf(BALLOTS);
            default -> throw new IllegalArgumentException("no parameter " + parameter);
        };
    }

    /** The first of the list most often. */
    private String oneOf(List<String> list) {
        return list.get((int) (skewed(2) * list.size()));
    }

    private double skewed(int power) {
        double chance = 1;
        double one = random.nextDouble();
        for (int i = 0; i < power; i++) {
            chance *= one;
        }
        return chance;
    }

    /** As hot_bill and busy_user of the scripts. */
    private static long spread(double chance, long rows) {
        long rank = (long) (chance * rows);
        return 1 + rank * SPREAD % rows;
    }
}
