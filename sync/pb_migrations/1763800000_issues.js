/// <reference path="../pb_data/types.d.ts" />

// The two collections the board reads. Anybody may read them; only a superuser (the sync) writes.
// Columns are those of gold.issues and gold.issue_evidence, plus content_hash, by which a push
// finds out what has changed. Numbers and booleans are not `required`: PocketBase would reject 0 and false.
migrate((app) => {
    const issues = new Collection({
        type: "base",
        name: "issues",
        listRule: "",
        viewRule: "",
        fields: [
            { type: "date", name: "cluster_date", required: true },
            { type: "number", name: "cluster_id", onlyInt: true },
            { type: "number", name: "day_rank", onlyInt: true },
            { type: "text", name: "canonical_title", required: true, max: 120 },
            {
                type: "select", name: "category", required: true, maxSelect: 1,
                values: ["ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other"],
            },
            { type: "text", name: "description", max: 5000 },
            { type: "bool", name: "would_pay_signal" },
            { type: "select", name: "impact_level", required: true, maxSelect: 1, values: ["low", "medium", "high"] },
            { type: "number", name: "cluster_size", onlyInt: true },
            { type: "number", name: "confidence" },
            { type: "json", name: "source_counts", maxSize: 2000 },
            { type: "text", name: "labeler", required: true, max: 200 },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: [
            "CREATE UNIQUE INDEX idx_issues_key ON issues (cluster_date, cluster_id)",
            "CREATE INDEX idx_issues_rank ON issues (cluster_date, day_rank)",
        ],
    })
    app.save(issues)

    const evidence = new Collection({
        type: "base",
        name: "issue_evidence",
        listRule: "",
        viewRule: "",
        fields: [
            { type: "relation", name: "issue", required: true, collectionId: issues.id, maxSelect: 1, cascadeDelete: true },
            { type: "date", name: "cluster_date", required: true },
            { type: "text", name: "url_hash", required: true, max: 64 },
            { type: "text", name: "source", required: true, max: 50 },
            { type: "text", name: "url", required: true, max: 4000 },
            { type: "text", name: "title", max: 1000 },
            { type: "text", name: "excerpt", max: 1000 },
            { type: "text", name: "body", max: 20000 },
            { type: "date", name: "posted_at" },
            { type: "number", name: "comment_count", onlyInt: true },
            { type: "number", name: "vote_count", onlyInt: true },
            { type: "number", name: "similarity" },
            { type: "text", name: "content_hash", required: true, max: 64 },
        ],
        indexes: [
            "CREATE UNIQUE INDEX idx_evidence_key ON issue_evidence (issue, url_hash)",
            "CREATE INDEX idx_evidence_date ON issue_evidence (cluster_date)",
            "CREATE INDEX idx_evidence_similarity ON issue_evidence (issue, similarity)",
        ],
    })
    app.save(evidence)

    // The stock users collection lets guests sign up: nobody has an account here but the superuser.
    app.delete(app.findCollectionByNameOrId("users"))

    const settings = app.settings()
    settings.meta.appName = "Groundswell"
    settings.batch.enabled = true
    settings.batch.maxRequests = 500
    settings.batch.timeout = 30
    app.save(settings)
}, (app) => {
    for (const name of ["issue_evidence", "issues"]) {
        app.delete(app.findCollectionByNameOrId(name))
    }
})
