// The headers of an answer: no other scripts, no frames, no addresses for other sites.

/** nonce: a random text that the <style> of this page has. A browser reads no other one. */
function set(e, nonce) {
    // The event of a hook holds that of its request.
    const headers = (e.requestEvent || e).response.header()
    headers.set("Referrer-Policy", "no-referrer")
    headers.set("X-Frame-Options", "DENY")
    const styles = nonce ? `'self' 'nonce-${nonce}'` : "'self'"
    headers.set(
        "Content-Security-Policy",
        `default-src 'none'; script-src 'self'; style-src ${styles}; connect-src 'self'; img-src 'self' data:; `
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
}

module.exports = { set }
