package io.nightshift.infra.config;

/**
 * Where the web page and the REST API listen.
 *
 * @param port 0 takes a free one, which the home folder then tells
 * @param address loopback only: a proxy in front answers for encryption and for who may come in
 */
public record HttpSettings(
        @Describe("0 takes a free port at every start; a number keeps the address of the page")
        int port,

        @Describe("only loopback is accepted; put a proxy with TLS in front for others")
        String address) {

    public HttpSettings {
        new Refusals()
                .when(port < 0 || port > 65_535, "port is " + port + "; accepted: 0 (a free one) to 65535")
                .when(
                        !address.matches("localhost|127(\\.[0-9]{1,3}){3}|::1"),
                        "address \"" + address
                                + "\" is not accepted; accepted: a loopback address (127.0.0.1, ::1 or localhost); for others put a proxy in front")
                .throwIfAny();
    }

    static HttpSettings defaults() {
        return new HttpSettings(0, "127.0.0.1");
    }
}
