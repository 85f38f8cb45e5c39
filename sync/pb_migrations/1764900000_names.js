/// <reference path="../pb_data/types.d.ts" />
// The names of the watchlist: which of them the posts of a problem mention, and the counts, shares and days of each name.
// Problems of earlier versions have no names, until a push replaces them.
migrate((app) => {
    const written = '@request.auth.collectionName = "sync_clients"'
    const count = (name) => ({ type: "number", name, onlyInt: true, min: 0 })
    const problems = app.findCollectionByNameOrId("problems")
    // [{"name": "Slack", "side": "own", "posts": 3, "voices": 2}]
    problems.fields.add(new JSONField({ name: "names", maxSize: 200000 }))
    app.save(problems)

    app.save(new Collection({
        type: "base",
        name: "watched_names",
        listRule: "", viewRule: "", createRule: written, updateRule: written, deleteRule: written,
        fields: [
            { type: "text", name: "name", required: true, max: 200 },
            { type: "text", name: "side", required: true, max: 20 },
            { type: "text", name: "trend", required: true, max: 20 },
            ...["position", "posts", "complaints", "problems", "voices", "recent_voices", "earlier_voices"].map(count),
            ...["share_of_voice", "recent_share", "earlier_share"].map((name) => ({ type: "number", name })),
            // {"2026-11-20": {"posts": 3, "complaints": 2, "voices": 2, "share_of_voice": 0.5}}
            { type: "json", name: "days", maxSize: 50000 },
            { type: "date", name: "first_seen" },
            { type: "date", name: "last_seen" },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: ["CREATE UNIQUE INDEX idx_watched_names_name ON watched_names (name)"],
    }))
}, (app) => {
    app.delete(app.findCollectionByNameOrId("watched_names"))
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("names")
    app.save(problems)
})
