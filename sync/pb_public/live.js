// Live changes. The server sends one event per record. A build pushes thousands of records at once, so events are
// collected and reported together.

import { API } from "./api.js"

const QUIET_MS = 400
const LONGEST_WAIT_MS = 2000
const SHOW_LOSS_AFTER_MS = 1000
const RETRY_MS = [300, 1000, 2000, 4000, 8000, 15_000]

/** A subscription to a collection, to those of its records that a filter leaves, of which only the id is sent. */
function topic({ collection, filter }) {
    const options = JSON.stringify({ query: { fields: "id", ...(filter ? { filter } : {}) } })
    return `${collection}/*?options=${encodeURIComponent(options)}`
}

/**
 * Follows collections. `changed` is called with a Map of collection to Map of id to action; `reconnected` when events
 * may have been missed; `followed` when what was asked for is followed from now on; `shown` with "live" or "lost".
 */
export function follow(first, { changed, followed, reconnected, shown }) {
    let subscriptions = first
    let stream = null, client = null, subscribing = null, attempts = 0, wasConnected = false
    let gathered = new Map(), gatheredSince = 0, telling = 0, showingLoss = 0, retrying = 0

    function connect() {
        clearTimeout(retrying)
        stream?.close()
        client = null
        stream = new EventSource(`${API}realtime`)
        const opened = stream
        opened.addEventListener("PB_CONNECT", (event) => {
            client = JSON.parse(event.data).clientId
            subscribe()
        })
        // Browsers reconnect after some errors only, so this code reconnects after all of them.
        opened.addEventListener("error", () => opened === stream && lose())
        subscriptions.forEach(listen)
    }

    function lose() {
        stream?.close()
        stream = client = null
        showingLoss ||= setTimeout(() => shown("lost"), SHOW_LOSS_AFTER_MS)
        const wait = RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]
        clearTimeout(retrying)
        retrying = setTimeout(connect, wait * (0.75 + Math.random() / 2))
    }

    const listened = new WeakMap()
    function listen(subscription) {
        const names = listened.get(stream) ?? new Set()
        listened.set(stream, names)
        const name = topic(subscription)
        if (names.has(name)) return
        names.add(name)
        stream.addEventListener(name, (event) => {
            const { action, record } = JSON.parse(event.data)
            gather(subscription.collection, record.id, action)
        })
    }

    async function subscribe() {
        const asked = client
        // One request at a time: the server keeps the one that arrives last.
        if (!asked || subscribing === asked) return
        subscribing = asked
        try {
            let sent
            do {
                sent = subscriptions
                const response = await fetch(`${API}realtime`, {
                    method: "POST",
                    headers: { "Content-Type": "application/json" },
                    body: JSON.stringify({ clientId: asked, subscriptions: sent.map(topic) }),
                })
                if (!response.ok) throw new Error(String(response.status))
            } while (asked === client && sent !== subscriptions)
        } catch {
            if (asked === client) lose()
            return
        } finally {
            if (subscribing === asked) subscribing = null
        }
        if (asked !== client) return
        followed()
        if (attempts === 0 && wasConnected) return
        clearTimeout(showingLoss)
        showingLoss = attempts = 0
        shown("live")
        if (wasConnected) reconnected()
        wasConnected = true
    }

    function gather(collection, id, action) {
        const actions = gathered.get(collection) ?? new Map()
        gathered.set(collection, actions)
        // A record that was created and then updated is new to the reader.
        actions.set(id, actions.get(id) === "create" && action === "update" ? "create" : action)
        const now = performance.now()
        gatheredSince ||= now
        clearTimeout(telling)
        telling = setTimeout(tell, Math.max(0, Math.min(QUIET_MS, gatheredSince + LONGEST_WAIT_MS - now)))
    }

    function tell() {
        const told = gathered
        gathered = new Map()
        gatheredSince = 0
        changed(told)
    }

    addEventListener("offline", lose)
    addEventListener("online", () => client || connect())
    document.addEventListener("visibilitychange", () => document.hidden || client || connect())
    // A page that the browser restores after the back button has a closed stream.
    addEventListener("pagehide", () => stream?.close())
    addEventListener("pageshow", (event) => event.persisted && (attempts++, connect()))
    connect()

    return {
        /** Follows other collections from now on. */
        set(wanted) {
            if (JSON.stringify(wanted) === JSON.stringify(subscriptions)) return
            subscriptions = wanted
            if (stream) subscriptions.forEach(listen)
            subscribe()
        },
    }
}
