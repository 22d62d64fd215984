package io.nightshift.infra.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a server listens.
 *
 * @param host a name or an address, IPv6 without brackets
 * @param port 1 to 65535
 */
public record NodeAddress(String host, int port) {

    public static final int DEFAULT_PORT = 5432;

    private static final Pattern TEXT = Pattern.compile("(?:\\[([^\\[\\]]*)\\]|([^\\[\\]:]*))(?::([0-9]{1,5}))?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})");
    private static final Pattern IPV6 = Pattern.compile("(?=.*:.*:)[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9_.-]{1,32})?");

    public NodeAddress {
        if (!NAME.matcher(host).matches() && !IPV6.matcher(host).matches()) {
            throw refused(host, "the host is no name and no address");
        }
        if (port < 1 || port > 65_535) {
            throw refused(host + ":" + port, "ports are 1 to 65535");
        }
    }

    /** Reads {@code db1}, {@code db1:5433}, {@code [::1]:5432}. */
    public static NodeAddress parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw refused(
                    text,
                    text.startsWith("/")
                            ? "Unix sockets are not supported"
                            : text.chars().filter(c -> c == ':').count() > 1 && !text.startsWith("[")
                                    ? "an IPv6 address stands in brackets"
                                    : "the port is no number of up to five digits");
        }
        boolean bracketed = parts.group(1) != null;
        String host = bracketed ? parts.group(1) : parts.group(2);
        int port = parts.group(3) == null ? DEFAULT_PORT : Integer.parseInt(parts.group(3));
        boolean wellFormed = bracketed ? isIpv6(host) : NAME.matcher(host).matches();
        if (!wellFormed) {
            throw refused(
                    text,
                    bracketed
                            ? "no IPv6 address stands in the brackets"
                            : host.startsWith("/")
                                    ? "Unix sockets are not supported"
                                    : "the host is no name and no address");
        }
        if (port < 1 || port > 65_535) {
            throw refused(text, "ports are 1 to 65535");
        }
        return new NodeAddress(host, port);
    }

    private static boolean isIpv6(String host) {
        return IPV6.matcher(host).matches();
    }

    private static IllegalArgumentException refused(String text, String why) {
        return new IllegalArgumentException("\"" + text + "\" is not accepted: " + why
                + "; accepted: host, host:port or [IPv6]:port, such as db1.internal:5432");
    }

    /** Whether no packet to it leaves this machine, as far as its name tells. */
    public boolean isLoopback() {
        String name = host.toLowerCase(Locale.ROOT);
        return name.equals("localhost")
                || name.endsWith(".localhost")
                || name.matches("127(\\.[0-9]{1,3}){3}")
                || name.matches("(0{1,4}:){7}0{0,3}1")
                || name.equals("::1");
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
