/// <reference path="../pb_data/types.d.ts" />
// Which posts of a problem only half complain, and how many of its voices have no other post. Records of earlier
// versions have false and 0, until a push replaces them.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new NumberField({ name: "weak_voices", onlyInt: true, min: 0 }))
    app.save(problems)
    const posts = app.findCollectionByNameOrId("problem_posts")
    posts.fields.add(new BoolField({ name: "is_weak" }))
    app.save(posts)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("weak_voices")
    app.save(problems)
    const posts = app.findCollectionByNameOrId("problem_posts")
    posts.fields.removeByName("is_weak")
    app.save(posts)
})
