/// <reference path="../pb_data/types.d.ts" />
// How surely the voices of a problem complain: a part of its demand.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new NumberField({ name: "certainty_score" }))
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("certainty_score")
    app.save(problems)
})
