/// <reference path="../pb_data/types.d.ts" />

// Problems and their posts, what the board's pictures need, and the accounts that may write: sync_clients,
// which `python -m sync token` makes, besides the superuser. Columns are those of gold.problems and
// gold.problem_posts; what would be a table of its own in gold but is only ever read with its problem is JSON.
migrate((app) => {
    const clients = new Collection({
        type: "auth",
        name: "sync_clients",
        // Without a rule only a superuser makes, sees, changes or deletes an account.
        listRule: null, viewRule: null, createRule: null, updateRule: null, deleteRule: null,
        authRule: "",
        passwordAuth: { enabled: true, identityFields: ["email"] },
    })
    app.save(clients)

    const written = '@request.auth.collectionName = "sync_clients"'
    const rules = { listRule: "", viewRule: "", createRule: written, updateRule: written, deleteRule: written }
    const category = {
        type: "select", name: "category", required: true, maxSelect: 1,
        values: ["ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other"],
    }
    const impact = { type: "select", name: "impact_level", required: true, maxSelect: 1, values: ["low", "medium", "high"] }
    const count = (name) => ({ type: "number", name, onlyInt: true })

    const problems = new Collection({
        type: "base",
        name: "problems",
        ...rules,
        fields: [
            { type: "text", name: "title", required: true, max: 120 },
            category,
            { type: "text", name: "description", max: 5000 },
            impact,
            { type: "text", name: "labeler", required: true, max: 200 },
            { type: "select", name: "status", required: true, maxSelect: 1, values: ["active", "dormant", "closed"] },
            {
                type: "select", name: "trend", required: true, maxSelect: 1,
                values: ["new", "growing", "steady", "fading", "unknown", "gone"],
            },
            count("post_count"), count("voices"), count("paying_voices"), count("recent_voices"), count("earlier_voices"),
            count("source_count"), count("days_seen"),
            ...["cohesion", "demand_score", "voices_score", "engagement_score", "sources_score", "persistence_score",
                "payment_score", "agreement_score"].map((name) => ({ type: "number", name })),
            { type: "bool", name: "would_pay_signal" },
            // {"github": 3}: posts by source.
            { type: "json", name: "source_counts", maxSize: 2000 },
            // [{"quote": …, "supports_payment": false, "source": "reddit", "url": …}]
            { type: "json", name: "quotes", maxSize: 20000 },
            // {"2026-11-20": {"github": 3}}: voices heard, by day and source.
            { type: "json", name: "daily_voices", maxSize: 1000000 },
            // [{"issue_id": …, "cluster_date": "2026-11-20", "post_count": 3}]
            { type: "json", name: "issues", maxSize: 1000000 },
            // [{"event": "opened", "event_date": "2026-11-20", "posts": 3, "related_problem_id": null}]
            { type: "json", name: "events", maxSize: 1000000 },
            { type: "date", name: "first_seen", required: true },
            { type: "date", name: "last_seen", required: true },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: [
            "CREATE INDEX idx_problems_demand ON problems (demand_score)",
            "CREATE INDEX idx_problems_seen ON problems (last_seen)",
        ],
    })
    app.save(problems)

    app.save(new Collection({
        type: "base",
        name: "problem_posts",
        ...rules,
        fields: [
            { type: "relation", name: "problem", required: true, collectionId: problems.id, maxSelect: 1, cascadeDelete: true },
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
            "CREATE UNIQUE INDEX idx_problem_posts_key ON problem_posts (problem, url_hash)",
            "CREATE INDEX idx_problem_posts_posted ON problem_posts (problem, posted_at)",
        ],
    }))

    const issues = app.findCollectionByNameOrId("issues")
    Object.assign(issues, rules)
    app.save(issues)

    const evidence = app.findCollectionByNameOrId("issue_evidence")
    Object.assign(evidence, rules)
    evidence.fields.add(new TextField({ name: "quote", max: 1000 }))
    evidence.fields.add(new BoolField({ name: "is_representative" }))
    evidence.fields.add(new BoolField({ name: "supports_payment" }))
    // Where the post stands on the map of the day, 0 to 1 each way.
    evidence.fields.add(new NumberField({ name: "map_x" }))
    evidence.fields.add(new NumberField({ name: "map_y" }))
    // The posts of one issue are few: to sort them needs no index, and each index makes a push slower.
    evidence.indexes = evidence.indexes.filter((index) => !index.includes("idx_evidence_similarity"))
    app.save(evidence)
}, (app) => {
    for (const name of ["problem_posts", "problems"]) {
        app.delete(app.findCollectionByNameOrId(name))
    }
    for (const name of ["issues", "issue_evidence"]) {
        const collection = app.findCollectionByNameOrId(name)
        Object.assign(collection, { createRule: null, updateRule: null, deleteRule: null })
        for (const field of name === "issues" ? [] : ["quote", "is_representative", "supports_payment", "map_x", "map_y"]) {
            collection.fields.removeByName(field)
        }
        if (name === "issue_evidence") {
            collection.indexes = [...collection.indexes, "CREATE INDEX idx_evidence_similarity ON issue_evidence (issue, similarity)"]
        }
        app.save(collection)
    }
    app.delete(app.findCollectionByNameOrId("sync_clients"))
})
