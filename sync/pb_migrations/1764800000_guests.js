/// <reference path="../pb_data/types.d.ts" />
// Limits of requests: of guests only, by their address. PocketBase's usual limits would also slow the push down.
// A limit holds for each collection and kind of request by itself.
migrate((app) => {
    const settings = app.settings()
    settings.rateLimits.enabled = true
    settings.rateLimits.rules = [
        // Sign-ins, so that a password can not be guessed.
        { label: "*:auth", audience: "@guest", maxRequests: 60, duration: 60 },
        { label: "*:requestPasswordReset", audience: "@guest", maxRequests: 3, duration: 3600 },
        { label: "/api/", audience: "@guest", maxRequests: 150, duration: 10 },
    ]
    app.save(settings)
}, (app) => {
    const settings = app.settings()
    settings.rateLimits.enabled = false
    app.save(settings)
})
