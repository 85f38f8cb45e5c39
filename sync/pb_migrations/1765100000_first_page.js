/// <reference path="../pb_data/types.d.ts" />
// What the first page asks for stands in indexes in its order, so that no request reads all problems: the list of those
// of people, or of programs, by demand; and the names of the labellers.
const INDEXES = [
    "CREATE INDEX idx_problems_page ON problems (is_from_program, status, is_burst, demand_score DESC, id)",
    "CREATE INDEX idx_problems_labeler ON problems (labeler)",
]

migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.indexes = [...problems.indexes, ...INDEXES]
    app.save(problems)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.indexes = problems.indexes.filter((index) => !INDEXES.includes(index))
    app.save(problems)
})
