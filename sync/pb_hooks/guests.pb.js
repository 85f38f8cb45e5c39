/// <reference path="../pb_data/types.d.ts" />

// Guards of the server: headers of every answer, the dashboard, and what guests may ask for (guests.js).

// One middleware, after the server has read the token of the request and set its own headers, and before it counts the
// request. A live connection holds a JavaScript runtime of 0.3 MB in each middleware as long as it is open.
routerUse(new Middleware((e) => {
    const headers = e.response.header()
    headers.set("Referrer-Policy", "no-referrer")
    headers.set("X-Frame-Options", "DENY")
    const path = e.request.url.path
    if (path.startsWith("/_/")) {
        // PocketBase gives its dashboard a policy of its own. A proxy on this machine passes visitors on from elsewhere.
        const isForwarded = ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via"].some((name) => e.request.header.get(name))
        const isNear = !isForwarded && /^(127\.|(0*:)+0*1$|::ffff:127\.)/.test(e.remoteIP())
        if (!isNear && $os.getenv("GROUNDSWELL_DASHBOARD") !== "1") {
            return e.notFoundError("The dashboard is served to this machine only.", null)
        }
        return e.next()
    }
    headers.set(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    if (e.auth || !path.startsWith("/api/")) return e.next()
    if (path === "/api/batch") return e.unauthorizedError("Guests write nothing.", null)
    if (path === "/api/realtime" && e.request.method === "GET") {
        const LIMITS = { connectionsOfAddress: 50, connections: 1000 }
        const open = `groundswellConnections ${e.realIP()}`
        const store = e.app.store()
        try {
            store.setFunc(open, (count) => (count || 0) + 1)
            const isFull = e.app.subscriptionsBroker().totalClients() >= LIMITS.connections
            if (isFull || store.get(open) > LIMITS.connectionsOfAddress) {
                return e.tooManyRequestsError("Too many live connections.", null)
            }
            return e.next()
        } finally {
            store.setFunc(open, (count) => (count || 1) - 1)
            if (!store.get(open)) store.remove(open)
        }
    }
    const wrong = require(`${__hooks}/guests.js`).wrongQuery(e.requestInfo().query)
    if (wrong) return e.badRequestError(`Refused for guests: ${wrong}.`, null)
    return e.next()
}, -1005, "groundswellGuards"))

onRealtimeSubscribeRequest((e) => {
    if (!e.auth) {
        const wrong = require(`${__hooks}/guests.js`).wrongSubscriptions(e.subscriptions)
        if (wrong) throw new BadRequestError(`Refused for guests: ${wrong}.`)
    }
    e.next()
})

// Only the start says which header a proxy writes. Anybody could write a header that is trusted without a proxy.
onBootstrap((e) => {
    e.next()
    const header = $os.getenv("GROUNDSWELL_PROXY_HEADER")
    const wanted = header ? [header] : []
    const settings = e.app.settings()
    if (JSON.stringify(settings.trustedProxy.headers || []) !== JSON.stringify(wanted)) {
        settings.trustedProxy.headers = wanted
        settings.trustedProxy.useLeftmostIP = false
        e.app.save(settings)
    }
})
