/// <reference path="../pb_data/types.d.ts" />
// What the search for problems found on each day: the board explains an empty list with it. And how many posts of a
// topic complain. Topics of earlier versions have 0 and false, until a push replaces them.
migrate((app) => {
    const written = '@request.auth.collectionName = "sync_clients"'
    const count = (name) => ({ type: "number", name, onlyInt: true })
    app.save(new Collection({
        type: "base",
        name: "searches",
        listRule: "", viewRule: "", createRule: written, updateRule: written, deleteRule: written,
        fields: [
            { type: "date", name: "search_date", required: true },
            { type: "text", name: "tier", required: true, max: 50 },
            // [{"titles": ["It is slow"], "posts": 2, "voices": 2, "source_count": 1, "chance": 0.4, "reason": "too few voices"}]
            { type: "json", name: "nearest_groups", maxSize: 20000 },
            // ["More days: …"]
            { type: "json", name: "advice", maxSize: 20000 },
            ...["posts", "complaints", "source_count", "window_posts", "window_complaints", "window_days", "near_pairs",
                "problems", "least_voices", "longest_window"].map(count),
            { type: "number", name: "least_chance" },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: ["CREATE UNIQUE INDEX idx_searches_date ON searches (search_date)"],
    }))

    const issues = app.findCollectionByNameOrId("issues")
    issues.fields.add(new NumberField({ name: "complaints", onlyInt: true }))
    issues.fields.add(new BoolField({ name: "without_complaints" }))
    app.save(issues)
}, (app) => {
    app.delete(app.findCollectionByNameOrId("searches"))
    const issues = app.findCollectionByNameOrId("issues")
    issues.fields.removeByName("complaints")
    issues.fields.removeByName("without_complaints")
    app.save(issues)
})
