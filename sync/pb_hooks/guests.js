// What a guest may ask for. A guest is a request without an account: a reader of the board, or anybody else. The accounts
// of the push (sync_clients) and superusers have no such limits. docs/board-rules.md lists the limits, and is generated.

const LIMITS = {
    // Records of a page.
    perPage: 500,
    // Characters of a filter. The longest one of the board has 2,700.
    filterLength: 3000,
    // Comparisons of a filter that search in a text.
    searches: 24,
    // Fields to sort by.
    sortFields: 4,
    // Subscriptions of a connection.
    subscriptions: 8,
}

const FIELD = /^[a-z][a-z_]*$/
// Relations can be followed back with issue_evidence_via_issue, and forth with a dot. Only the counts of sources, which
// are JSON, have a name after a dot.
const COUNT = /^source_counts\.[a-z_]+$/
const NUMBER = /^-?[0-9]+(\.[0-9]+)?$/
const TEXTS = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g
// PocketBase reads a quote after two backslashes in another way than TEXTS: such filters are refused.
const UNCLEAR = /\\\\["']/
const TOPIC = /^[a-z_]+\/(?:\*|[a-z0-9]{15})$/
const ONE_RECORD = /^[a-z_]+ = "[a-z0-9]{15}"$/

/** What is wrong with a filter; "" if nothing is. */
function wrongFilter(filter) {
    if (filter.length > LIMITS.filterLength) return `filter has more than ${LIMITS.filterLength} characters`
    if (UNCLEAR.test(filter)) return "filter has a quote after two backslashes"
    const bare = filter.replace(TEXTS, "\"\"")
    if (bare.split("~").length > LIMITS.searches + 1) return `filter has more than ${LIMITS.searches} searches in texts`
    for (const word of bare.match(/[^\s()&|=!<>~?]+/g) || []) {
        const isField = FIELD.test(word) && !word.includes("_via_")
        if (!isField && word !== "\"\"" && !NUMBER.test(word) && !COUNT.test(word)) {
            return "filter may compare fields of the collection with values, and nothing else"
        }
    }
    return ""
}

/** What is wrong with a sort; "" if nothing is. */
function wrongSort(sort) {
    if (!sort) return ""
    const fields = sort.split(",").map((field) => field.trim().replace(/^[-+]/, ""))
    if (fields.length > LIMITS.sortFields) return `sort has more than ${LIMITS.sortFields} fields`
    return fields.every((field) => FIELD.test(field)) ? "" : "sort may name fields of the collection, and nothing else"
}

/** What is wrong with the parameters of a request, a map of name to value; "" if nothing is. */
function wrongQuery(query) {
    if (query.expand) return "expand is not for guests"
    if (Number(query.perPage) > LIMITS.perPage) return `perPage is more than ${LIMITS.perPage}`
    return wrongFilter(query.filter || "") || wrongSort(query.sort || "")
}

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

module.exports = { LIMITS, wrongQuery, wrongSubscriptions }
