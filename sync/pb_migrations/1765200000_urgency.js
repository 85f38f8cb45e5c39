/// <reference path="../pb_data/types.d.ts" />
// How suddenly many people complain: a part of the demand of a problem.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new NumberField({ name: "urgency_score" }))
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("urgency_score")
    app.save(problems)
})
