/// <reference path="../pb_data/types.d.ts" />
// The impact of a problem or topic may be unknown: the built-in labeller says it only where it knows it.
migrate((app) => {
    for (const name of ["issues", "problems"]) {
        const collection = app.findCollectionByNameOrId(name)
        collection.fields.getByName("impact_level").required = false
        app.save(collection)
    }
}, (app) => {
    for (const name of ["issues", "problems"]) {
        const collection = app.findCollectionByNameOrId(name)
        collection.fields.getByName("impact_level").required = true
        app.save(collection)
    }
})
