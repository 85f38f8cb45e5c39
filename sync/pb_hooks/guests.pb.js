/// <reference path="../pb_data/types.d.ts" />

// Guards of the server: headers of answers, the dashboard, and what guests may follow (guests.js).

// The headers of every answer, refusals included, except those of live connections: a middleware is a JavaScript
// runtime of 0.3 MB for as long as its request lasts, and after 25 of them every request would make a runtime of its own.
// So its id is that of a middleware which PocketBase gives the route of live connections, and which replaces it there.
// The priority is behind PocketBase's own headers (-1010) and before its limits of requests (-1000).
// For the same reason there is no onRealtimeConnectRequest here.
routerUse(new Middleware((e) => {
    require(`${__hooks}/headers.js`).set(e)
    return e.next()
}, -1005, "pbSkipSuccessActivityLog"))

// The pages of the board. A handler is run alone, so it can not share a variable with others.
routerAdd("GET", "/{$}", (e) => require(`${__hooks}/page.js`).send(e, "index.html"), $apis.gzip())
routerAdd("GET", "/issues.html", (e) => require(`${__hooks}/page.js`).send(e, "issues.html"), $apis.gzip())
routerAdd("GET", "/themes.html", (e) => require(`${__hooks}/page.js`).send(e, "themes.html"), $apis.gzip())

// Their files. The folder is the one that the server was started with.
routerAdd("GET", "/{path...}", $apis.static(`${__hooks}/../pb_public`, false), $apis.gzip())

// The start decides: sync/server.py.
if ($os.getenv("GROUNDSWELL_DASHBOARD") === "off") {
    routerAdd("GET", "/_/{$}", (e) => {
        return e.notFoundError("The dashboard is off: python -m sync serve --dashboard serves it.", null)
    })
}

onRealtimeSubscribeRequest((e) => {
    // The event of a hook holds that of its request.
    if (!e.requestEvent.auth) {
        const { isFull, wrongSubscriptions } = require(`${__hooks}/guests.js`)
        const broker = e.app.subscriptionsBroker()
        if (isFull(Object.values(broker.clients()), e.realIP())) {
            // Ends the connection.
            broker.unregister(e.client.id())
            throw new TooManyRequestsError("Too many live connections.")
        }
        const wrong = wrongSubscriptions(e.subscriptions)
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
