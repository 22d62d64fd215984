package io.nightshift.infra.config;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A connection URL as libpq reads it: {@code postgresql://user:password@host:port,host/database?sslmode=require}; see
 * "Connection URIs" in the libpq chapter of the PostgreSQL manual. An absent host is localhost. Messages never quote
 * the URL, which may hold a password.
 *
 * @param settings by cluster key: username, password, database, sslmode, sslrootcert, sslcert, sslkey
 */
record LibpqUrl(List<NodeAddress> nodes, Map<String, String> settings) {

    private static final Map<String, String> KEY_OF_PARAMETER = Map.of(
            "user", "username",
            "password", "password",
            "dbname", "database",
            "sslmode", "sslmode",
            "sslrootcert", "sslrootcert",
            "sslcert", "sslcert",
            "sslkey", "sslkey");

    /** Parameters that are right for other programs and change nothing here: we name and time our connections. */
    private static final Set<String> IGNORED = Set.of(
            "application_name",
            "fallback_application_name",
            "client_encoding",
            "connect_timeout",
            "keepalives",
            "keepalives_idle",
            "keepalives_interval",
            "keepalives_count",
            "load_balance_hosts",
            "target_session_attrs",
            "tcp_user_timeout");

    static LibpqUrl parse(String url) {
        String rest = afterScheme(url);
        int question = rest.indexOf('?');
        String parameters = question < 0 ? "" : rest.substring(question + 1);
        String place = question < 0 ? rest : rest.substring(0, question);
        int at = place.indexOf('@');
        int slash = place.indexOf('/');
        Map<String, String> settings = new LinkedHashMap<>();
        if (at >= 0 && (slash < 0 || at < slash)) {
            user(place.substring(0, at), settings);
            place = place.substring(at + 1);
            slash = place.indexOf('/');
        }
        String hosts = slash < 0 ? place : place.substring(0, slash);
        if (slash >= 0 && slash + 1 < place.length()) {
            settings.put("database", decode(place.substring(slash + 1)));
        }
        Map<String, String> address = new LinkedHashMap<>();
        for (String parameter : parameters.isEmpty() ? new String[0] : parameters.split("&", -1)) {
            parameter(parameter, settings, address);
        }
        return new LibpqUrl(nodes(hosts, address), Map.copyOf(settings));
    }

    private static String afterScheme(String url) {
        for (String scheme : List.of("postgresql://", "postgres://")) {
            if (url.startsWith(scheme)) {
                return url.substring(scheme.length());
            }
        }
        throw new IllegalArgumentException("the url does not begin with postgresql:// or postgres://");
    }

    private static void user(String userInfo, Map<String, String> settings) {
        int colon = userInfo.indexOf(':');
        String user = decode(colon < 0 ? userInfo : userInfo.substring(0, colon));
        String password = colon < 0 ? "" : decode(userInfo.substring(colon + 1));
        if (!user.isEmpty()) {
            settings.put("username", user);
        }
        if (!password.isEmpty()) {
            settings.put("password", password);
        }
    }

    private static void parameter(String parameter, Map<String, String> settings, Map<String, String> address) {
        String[] parts = parameter.split("=", -1);
        if (parts.length != 2) {
            throw new IllegalArgumentException("a parameter of the url is not of the form name=value");
        }
        String name = decode(parts[0]);
        String value = decode(parts[1]);
        String key = KEY_OF_PARAMETER.get(name);
        if (name.equals("ssl") && value.equals("true")) {
            settings.put("sslmode", "require");
        } else if (name.equals("host") || name.equals("port")) {
            address.put(name, value);
        } else if (key != null) {
            settings.put(key, value);
        } else if (!IGNORED.contains(name)) {
            throw new IllegalArgumentException("the url has a parameter that is not supported; accepted: host, port, "
                    + String.join(
                            ", ", KEY_OF_PARAMETER.keySet().stream().sorted().toList())
                    + Nearest.question(name, KEY_OF_PARAMETER.keySet()));
        }
    }

    private static List<NodeAddress> nodes(String hosts, Map<String, String> address) {
        List<String> names = new ArrayList<>();
        List<String> ports = new ArrayList<>();
        for (String host : hosts.split(",", -1)) {
            int colon = host.startsWith("[") ? host.indexOf(':', Math.max(host.indexOf(']'), 0)) : host.indexOf(':');
            names.add(decode(colon < 0 ? host : host.substring(0, colon)));
            ports.add(colon < 0 ? "" : host.substring(colon + 1));
        }
        if (address.containsKey("host")) {
            names = List.of(address.getOrDefault("host", "").split(",", -1));
        }
        if (address.containsKey("port")) {
            ports = List.of(address.getOrDefault("port", "").split(",", -1));
        }
        return nodes(names, ports);
    }

    /** Pairs hosts with ports as libpq does: one port serves all hosts, otherwise there is one for each. */
    static List<NodeAddress> nodes(List<String> hosts, List<String> ports) {
        if (ports.size() != 1 && ports.size() != hosts.size()) {
            throw new IllegalArgumentException(ports.size() + " ports do not match " + hosts.size() + " hosts");
        }
        List<NodeAddress> nodes = new ArrayList<>();
        for (int i = 0; i < hosts.size(); i++) {
            String port = ports.get(ports.size() == 1 ? 0 : i);
            nodes.add(node(bracketed(hosts.get(i)) + (port.isEmpty() ? "" : ":" + port)));
        }
        return nodes;
    }

    /** What looks like a host may be the rest of a password, so it is not quoted. */
    private static NodeAddress node(String address) {
        try {
            return NodeAddress.parse(address);
        } catch (IllegalArgumentException refusal) {
            throw new IllegalArgumentException(
                    "a host or port is not accepted; accepted: host, host:port or [IPv6]:port; in a password write %40 for @, %2F for /, %3A for :, %3F for ?");
        }
    }

    private static String bracketed(String host) {
        if (host.isEmpty()) {
            return "localhost";
        }
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    /** Undoes %XX; a plus sign is a plus sign. */
    private static String decode(String text) {
        var bytes = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != '%') {
                int end = text.indexOf('%', i) < 0 ? text.length() : text.indexOf('%', i);
                bytes.writeBytes(text.substring(i, end).getBytes(StandardCharsets.UTF_8));
                i = end - 1;
                continue;
            }
            String digits = text.substring(i + 1, Math.min(i + 3, text.length()));
            if (!digits.matches("[0-9A-Fa-f]{2}") || digits.equals("00")) {
                throw new IllegalArgumentException(
                        "the url has a % that two hexadecimal digits (not 00) do not follow; a % itself is written %25");
            }
            bytes.write(Integer.parseInt(digits, 16));
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException notText) {
            throw new IllegalArgumentException("the url has percent-encoded bytes that are not UTF-8", notText);
        }
    }

    /** Masked: it may hold a password. */
    @Override
    public String toString() {
        return "LibpqUrl[" + nodes + "]";
    }
}
