/// <reference path="../pb_data/types.d.ts" />
// The topics of a problem are found by its posts: a problem's record no longer lists them, so that problems can be
// published while issues can not.
migrate((app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.removeByName("issues")
    app.save(problems)

    const evidence = app.findCollectionByNameOrId("issue_evidence")
    evidence.indexes = [...evidence.indexes, "CREATE INDEX idx_evidence_url_hash ON issue_evidence (url_hash)"]
    app.save(evidence)

    const posts = app.findCollectionByNameOrId("problem_posts")
    posts.indexes = [...posts.indexes, "CREATE INDEX idx_problem_posts_url_hash ON problem_posts (url_hash)"]
    app.save(posts)
}, (app) => {
    const problems = app.findCollectionByNameOrId("problems")
    problems.fields.add(new JSONField({ name: "issues", maxSize: 1000000 }))
    app.save(problems)

    const evidence = app.findCollectionByNameOrId("issue_evidence")
    evidence.indexes = evidence.indexes.filter((index) => !index.includes("idx_evidence_url_hash"))
    app.save(evidence)

    const posts = app.findCollectionByNameOrId("problem_posts")
    posts.indexes = posts.indexes.filter((index) => !index.includes("idx_problem_posts_url_hash"))
    app.save(posts)
})
