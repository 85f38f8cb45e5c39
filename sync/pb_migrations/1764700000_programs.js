/// <reference path="../pb_data/types.d.ts" />
// Whether programs wrote most posts of a problem. Records of earlier versions have false, until a push replaces them.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new BoolField({ name: "is_from_program" }))
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("is_from_program")
    app.save(problems)
})
