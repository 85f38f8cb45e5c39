/// <reference path="../pb_data/types.d.ts" />
// Whether a person has corrected a problem. Records of earlier versions have false, until a push replaces them.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new BoolField({ name: "is_edited" }))
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("is_edited")
    app.save(problems)
})
