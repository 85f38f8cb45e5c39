/// <reference path="../pb_data/types.d.ts" />

// Guards of the server: headers of answers, the dashboard, and what guests may follow (guests.js).
//
// No middleware of all requests (routerUse), and no onRealtimeConnectRequest: each would hold a JavaScript runtime of
// 0.3 MB as long as a live connection is open, and after 25 of them every request would make a runtime of its own.

// The pages of the board. A handler is run alone, so it can not share a variable with others.
routerAdd("GET", "/{$}", (e) => require(`${__hooks}/page.js`).send(e, "index.html"), $apis.gzip())
routerAdd("GET", "/issues.html", (e) => require(`${__hooks}/page.js`).send(e, "issues.html"), $apis.gzip())
routerAdd("GET", "/themes.html", (e) => require(`${__hooks}/page.js`).send(e, "themes.html"), $apis.gzip())

// Their files. The folder is the one that the server was started with.
routerAdd("GET", "/{path...}", $apis.static(`${__hooks}/../pb_public`, false), $apis.gzip(), (e) => {
    require(`${__hooks}/headers.js`).set(e)
    return e.next()
})

onRecordsListRequest((e) => {
    require(`${__hooks}/headers.js`).set(e)
    e.next()
})

onRecordViewRequest((e) => {
    require(`${__hooks}/headers.js`).set(e)
    e.next()
})

// The start decides: sync/server.py.
if ($os.getenv("GROUNDSWELL_DASHBOARD") === "off") {
    routerAdd("GET", "/_/{$}", (e) => {
        require(`${__hooks}/headers.js`).set(e)
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
