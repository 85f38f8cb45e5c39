/// <reference path="../pb_data/types.d.ts" />
// How sure it is that a problem is one problem: the chance that two of its posts are the same problem, and its tier.
// Records of earlier versions have 0 and no tier, until a push replaces them.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new NumberField({ name: "agreement" }))
    problems.fields.add(new SelectField({ name: "tier", maxSelect: 1, values: ["certain", "likely", "emerging"] }))
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("agreement")
    problems.fields.removeByName("tier")
    app.save(problems)
})
