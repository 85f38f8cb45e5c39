// The headers of an answer: no other scripts, no frames, no addresses for other sites.

const POLICY =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

function set(e) {
    const headers = e.response.header()
    headers.set("Referrer-Policy", "no-referrer")
    headers.set("X-Frame-Options", "DENY")
    // PocketBase has a policy of its own for its dashboard.
    const isDashboard = e.request.url.path.startsWith("/_/") && $os.getenv("GROUNDSWELL_DASHBOARD") !== "off"
    if (!isDashboard) headers.set("Content-Security-Policy", POLICY)
}

module.exports = { set }
