/// <reference path="../pb_data/types.d.ts" />
// Weeks: the life of each problem by week, and this week against last for the top of the page. Problems of earlier
// versions have no weeks, until a push replaces them.
migrate((app) => {
    const written = '@request.auth.collectionName = "sync_clients"'
    const count = (name) => ({ type: "number", name, onlyInt: true, min: 0 })
    const problems = app.findCollectionByNameOrId("problems")
    // [{"week_start": "2026-11-16", "voices": 3, "new_voices": 2, "total_voices": 5, "events": ["opened"]}]
    problems.fields.add(new JSONField({ name: "weeks", maxSize: 20000 }))
    app.save(problems)

    app.save(new Collection({
        type: "base",
        name: "week_figures",
        listRule: "", viewRule: "", createRule: written, updateRule: written, deleteRule: written,
        fields: [
            { type: "text", name: "figure", required: true, max: 50 },
            ...["position", "this_week", "last_week", "days_this_week", "days_last_week"].map(count),
            { type: "date", name: "as_of_date", required: true },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: ["CREATE UNIQUE INDEX idx_week_figures_figure ON week_figures (figure)"],
    }))
}, (app) => {
    app.delete(app.findCollectionByNameOrId("week_figures"))
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("weeks")
    app.save(problems)
})
