/// <reference path="../pb_data/types.d.ts" />
// In how many wordings a problem is told, by which accounts and how fast. Records of earlier versions have 0 and false,
// until a push replaces them.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    for (const name of ["wordings", "accounts", "new_accounts", "posts_in_hour"]) {
        problems.fields.add(new NumberField({ name, onlyInt: true, min: 0 }))
    }
    problems.fields.add(new BoolField({ name: "is_burst" }))
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    for (const name of ["wordings", "accounts", "new_accounts", "posts_in_hour", "is_burst"]) {
        problems.fields.removeByName(name)
    }
    app.save(problems)
})
