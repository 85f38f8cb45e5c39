// The headers of an answer: no other scripts, no frames, no addresses for other sites.

function set(e) {
    // The event of a hook holds that of its request.
    const headers = (e.requestEvent || e).response.header()
    headers.set("Referrer-Policy", "no-referrer")
    headers.set("X-Frame-Options", "DENY")
    headers.set(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
}

module.exports = { set }
