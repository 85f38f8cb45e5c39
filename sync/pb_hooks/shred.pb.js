/// <reference path="../pb_data/types.d.ts" />

// Writes the server's file anew, without the bytes of deleted records: SQLite keeps them in free pages, and in its log.
// `python -m sync forgotten` asks for it after it has deleted records.
routerAdd("POST", "/api/groundswell/shred", (e) => {
    const database = e.app.nonconcurrentDB()
    database.newQuery("VACUUM").execute()
    database.newQuery("PRAGMA wal_checkpoint(TRUNCATE)").execute()
    return e.noContent(204)
}, $apis.requireAuth("_superusers", "sync_clients"))
