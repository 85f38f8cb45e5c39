/// <reference path="../pb_data/types.d.ts" />

// Creates the superuser of POCKETBASE_EMAIL and POCKETBASE_PASSWORD if no superuser has this e-mail address yet.
// An existing account stays as it is, because a change would revoke all its tokens.
// (`pocketbase superuser upsert` would show the password in the process list.)
onBootstrap((e) => {
    e.next()

    const email = $os.getenv("POCKETBASE_EMAIL")
    const password = $os.getenv("POCKETBASE_PASSWORD")
    if (!email || !password) {
        return
    }
    try {
        e.app.findAuthRecordByEmail("_superusers", email)
    } catch (_) {
        const superuser = new Record(e.app.findCollectionByNameOrId("_superusers"))
        superuser.setEmail(email)
        superuser.setPassword(password)
        e.app.save(superuser)
    }
})
