/// <reference path="../pb_data/types.d.ts" />
// The quotes and the titles of the posts of a problem, so that a search on the board finds them. Records of earlier
// versions have none, until a push replaces them.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new TextField({ name: "search_text", max: 5000 }))
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("search_text")
    app.save(problems)
})
