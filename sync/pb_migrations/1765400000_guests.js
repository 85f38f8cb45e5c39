/// <reference path="../pb_data/types.d.ts" />
// Limits of requests: of guests only, by their address. PocketBase's usual limits would also slow the push down. A limit
// holds for each collection and kind of request by itself.
//
// And no relations: a guest could expand them over several levels, and filter by them, at any cost. A push writes roots
// before leaves and deletes leaves before roots, so nothing needs them.
//
// Servers of earlier versions have done some of this, or all, by migrations that have gone: each step looks first. The
// very first version had no excerpts of the posts of issues.
migrate((app) => {
    const settings = app.settings()
    settings.rateLimits.enabled = true
    settings.rateLimits.rules = [
        // Sign-ins, so that a password can not be guessed.
        { label: "*:auth", audience: "@guest", maxRequests: 60, duration: 60 },
        { label: "*:requestPasswordReset", audience: "@guest", maxRequests: 3, duration: 3600 },
        { label: "/api/batch", audience: "@guest", maxRequests: 30, duration: 10 },
        { label: "GET /api/realtime", audience: "@guest", maxRequests: 100, duration: 60 },
        { label: "/api/", audience: "@guest", maxRequests: 150, duration: 10 },
    ]
    app.save(settings)

    for (const [name, field] of Object.entries({ issue_evidence: "issue", problem_posts: "problem", theme_posts: "theme" })) {
        const collection = app.findCollectionByNameOrId(name)
        if (collection.fields.getByName(field).type() !== "relation") continue
        const indexes = collection.indexes
        collection.indexes = []
        collection.fields.add(new TextField({ name: `${field}_text`, max: 15 }))
        app.save(collection)
        app.db().newQuery(`UPDATE ${name} SET ${field}_text = ${field}`).execute()
        collection.fields.removeByName(field)
        app.save(collection)
        const text = collection.fields.getByName(`${field}_text`)
        text.name = field
        text.required = true
        collection.indexes = indexes
        app.save(collection)
    }

    const posts = app.findCollectionByNameOrId("issue_evidence")
    if (!posts.fields.getByName("excerpt")) {
        posts.fields.add(new TextField({ name: "excerpt", max: 1000 }))
        app.save(posts)
    }
}, (app) => {
    const settings = app.settings()
    settings.rateLimits.enabled = false
    app.save(settings)
})
