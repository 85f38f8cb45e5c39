// What a guest may follow live. A guest is a request without an account: a reader of the board, or anybody else. The
// accounts of the push (sync_clients) and superusers have no such limits. docs/board-rules.md lists them.

const LIMITS = {
    // Live connections of one address, and of all guests.
    connectionsOfAddress: 50,
    connections: 2000,
    // Subscriptions of a connection.
    subscriptions: 8,
}

const TOPIC = /^[a-z_]+\/(?:\*|[a-z0-9]{15})$/
// A filter costs a query for each record that is pushed.
const ONE_RECORD = /^[a-z_]+ = "[a-z0-9]{15}"$/

/** What is wrong with the subscriptions of a live connection; "" if nothing is. */
function wrongSubscriptions(subscriptions) {
    if (subscriptions.length > LIMITS.subscriptions) return `more than ${LIMITS.subscriptions} subscriptions`
    for (const subscription of subscriptions) {
        const [topic, options, more] = String(subscription).split("?options=")
        if (more !== undefined || !TOPIC.test(topic)) return "a subscription names a collection and * or a record"
        if (options === undefined) continue
        let asked
        try {
            asked = JSON.parse(decodeURIComponent(options))
        } catch (_) {
            return "the options of a subscription can not be read"
        }
        if (Object.keys(asked).some((name) => name !== "query")) return "a subscription takes no other options than query"
        const query = asked.query || {}
        if (Object.keys(query).some((name) => name !== "fields" && name !== "filter")) {
            return "a subscription takes fields and filter, and nothing else"
        }
        if (query.filter && !ONE_RECORD.test(query.filter)) return "the filter of a subscription names one record"
    }
    return ""
}

/** Whether the address of a live connection has too many of them, or all guests have. */
function isFull(clients, address) {
    const same = clients.filter((client) => client.get("pbRealtimeClientIP") === address)
    return clients.length > LIMITS.connections || same.length > LIMITS.connectionsOfAddress
}

module.exports = { isFull, wrongSubscriptions }
