// The headers of an answer: no other scripts, no frames, no addresses for other sites.

/** nonce: a random text that the <style> of a page has. A browser reads no other one. */
function set(e, nonce) {
    const headers = e.response.header()
    headers.set("Referrer-Policy", "no-referrer")
    headers.set("X-Frame-Options", "DENY")
    // PocketBase has a policy of its own for its dashboard.
    if (e.request.url.path.startsWith("/_/") && $os.getenv("GROUNDSWELL_DASHBOARD") !== "off") return
    const styles = nonce ? `'self' 'nonce-${nonce}'` : "'self'"
    headers.set(
        "Content-Security-Policy",
        `default-src 'none'; script-src 'self'; style-src ${styles}; connect-src 'self'; img-src 'self' data:; `
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
}

module.exports = { set }
