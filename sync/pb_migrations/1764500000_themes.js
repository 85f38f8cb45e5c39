/// <reference path="../pb_data/types.d.ts" />

// Themes and their posts. Columns are those of gold.themes and gold.theme_posts. `problem` is a text and no relation: a
// theme may be pushed before the problem is.
migrate((app) => {
    const written = '@request.auth.collectionName = "sync_clients"'
    const rules = { listRule: "", viewRule: "", createRule: written, updateRule: written, deleteRule: written }
    const count = (name) => ({ type: "number", name, onlyInt: true })

    const themes = new Collection({
        type: "base",
        name: "themes",
        ...rules,
        fields: [
            { type: "text", name: "title", required: true, max: 120 },
            // ["usage limits", "weekly"]
            { type: "json", name: "terms", maxSize: 2000 },
            { type: "text", name: "central_title", max: 200 },
            { type: "select", name: "status", required: true, maxSelect: 1, values: ["active", "dormant"] },
            {
                type: "select", name: "trend", required: true, maxSelect: 1,
                values: ["new", "growing", "steady", "fading", "unknown", "gone"],
            },
            ...["post_count", "voices", "recent_voices", "earlier_voices", "source_count", "problem_count"].map(count),
            { type: "number", name: "cohesion" },
            // {"github": 3}: posts by source.
            { type: "json", name: "source_counts", maxSize: 2000 },
            // {"2026-11-20": {"github": 3}}: voices heard, by day and source.
            { type: "json", name: "daily_voices", maxSize: 1000000 },
            { type: "date", name: "first_seen", required: true },
            { type: "date", name: "last_seen", required: true },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: ["CREATE INDEX idx_themes_voices ON themes (voices)"],
    })
    app.save(themes)

    app.save(new Collection({
        type: "base",
        name: "theme_posts",
        ...rules,
        fields: [
            { type: "relation", name: "theme", required: true, collectionId: themes.id, maxSelect: 1, cascadeDelete: true },
            { type: "text", name: "problem", max: 15 },
            { type: "text", name: "url_hash", required: true, max: 64 },
            { type: "text", name: "source", required: true, max: 50 },
            { type: "text", name: "url", required: true, max: 4000 },
            { type: "text", name: "title", max: 1000 },
            { type: "text", name: "excerpt", max: 1000 },
            { type: "text", name: "quote", max: 1000 },
            count("comment_count"), count("vote_count"),
            { type: "number", name: "complaint_score" },
            { type: "number", name: "similarity" },
            { type: "bool", name: "is_first_of_voice" },
            { type: "bool", name: "supports_payment" },
            { type: "date", name: "collection_date", required: true },
            { type: "date", name: "posted_at" },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: [
            "CREATE UNIQUE INDEX idx_theme_posts_key ON theme_posts (theme, url_hash)",
            "CREATE INDEX idx_theme_posts_problem ON theme_posts (problem)",
        ],
    }))
}, (app) => {
    for (const name of ["theme_posts", "themes"]) {
        app.delete(app.findCollectionByNameOrId(name))
    }
})
