/// <reference path="../pb_data/types.d.ts" />
// The names of the sources, as in seed sources: a push writes them, and the board shows them.
migrate((app) => {
    const written = '@request.auth.collectionName = "sync_clients"'
    app.save(new Collection({
        type: "base",
        name: "sources",
        listRule: "", viewRule: "", createRule: written, updateRule: written, deleteRule: written,
        fields: [
            { type: "text", name: "name", required: true, max: 50 },
            { type: "text", name: "label", required: true, max: 100 },
            { type: "text", name: "short_name", required: true, max: 10 },
        ],
        indexes: ["CREATE UNIQUE INDEX idx_sources_name ON sources (name)"],
    }))
}, (app) => {
    app.delete(app.findCollectionByNameOrId("sources"))
})
