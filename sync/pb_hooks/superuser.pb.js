/// <reference path="../pb_data/types.d.ts" />

// Creates the superuser named in POCKETBASE_EMAIL and POCKETBASE_PASSWORD where there is none of that
// e-mail yet. An existing account is left alone: changing it would revoke every token that it gave out.
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
