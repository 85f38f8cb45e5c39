// PocketBase over HTTP: reading records, and the texts of its filters.

// Beside this file, so that the board works below a path of a reverse proxy, too.
export const API = new URL("api/", import.meta.url).href
const TIMEOUT_MS = 15_000
export const RECORD_ID = /^[a-z0-9]{15}$/
export const MOST_PER_PAGE = 1000

/** One page of a collection's records. Raises an Error that the reader may see; an AbortError where it is aborted. */
export async function fetchRecords(collection, query, signal = null) {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    let response, answer
    try {
        response = await fetch(`${API}collections/${collection}/records?${new URLSearchParams(query)}`, {
            signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        })
        answer = response.ok ? await response.json() : null
    } catch (error) {
        signal?.throwIfAborted()
        throw new Error(error instanceof SyntaxError
            ? "The server's answer was cut short or is not JSON."
            : "The server cannot be reached.")
    }
    signal?.throwIfAborted()
    if (!response.ok) throw new Error(`The server answered with an error (${response.status}).`)
    return answer
}

/** The first record by a filter and sort, or null. */
export async function fetchFirst(collection, query, signal = null) {
    const { items } = await fetchRecords(collection, { ...query, perPage: 1, skipTotal: 1 }, signal)
    return items[0] ?? null
}

/** All records, a large page at a time; progress is called with how many are there. */
export async function fetchAll(collection, query, signal = null, progress = () => {}) {
    const records = []
    for (let page = 1; ; page++) {
        const paging = { perPage: MOST_PER_PAGE, page, skipTotal: 1 }
        const { items } = await fetchRecords(collection, { ...query, ...paging }, signal)
        records.push(...items)
        progress(records.length)
        if (items.length < MOST_PER_PAGE) return records
    }
}

/** How many records a filter leaves. */
export const fetchCount = async (collection, filter, signal = null) =>
    (await fetchRecords(collection, { filter, perPage: 1, fields: "id" }, signal)).totalItems

// Characters of values in one filter: PocketBase refuses longer filters.
const FILTER_VALUES = 1500

/** The records of which a field has one of these values, which are letters and digits. */
export async function fetchByValues(collection, field, values, query, signal = null) {
    const known = [...new Set(values)].filter((value) => /^[a-z0-9]+$/.test(value))
    const records = []
    for (let start = 0; start < known.length;) {
        const size = Math.max(1, Math.floor(FILTER_VALUES / known[start].length))
        const filter = known.slice(start, start + size).map((value) => `${field} = "${value}"`).join(" || ")
        records.push(...await fetchAll(collection, { ...query, filter }, signal))
        start += size
    }
    return records
}

/** The records of these ids that exist. */
export const fetchByIds = (collection, ids, query, signal = null) =>
    fetchByValues(collection, "id", ids.filter((id) => RECORD_ID.test(id)), query, signal)

// --- Filters ------------------------------------------------------------------------------------

export const text = (value) => `"${value.replace(/[\\"]/g, "\\$&")}"`

/** Whether a field has a word in it, letter by letter: what LIKE reads as wildcards is escaped. */
export const contains = (field, word) => `${field} ~ ${text(`%${word.replace(/[\\%_]/g, "\\$&")}%`)}`

// PocketBase refuses filters of more than 200 comparisons, or 3,500 characters: further words are not looked for.
const MOST_WORDS = 30

/** Whether each word of a search is in one of the fields. */
export const containsWords = (search, fields) =>
    [...new Set(search.split(/\s+/).filter(Boolean))].slice(0, MOST_WORDS).map((word) => `(${fields.map((field) => contains(field, word)).join(" || ")})`)

export const from = (field, day) => day && `${field} >= "${day} 00:00:00.000Z"`
export const until = (field, day) => day && `${field} <= "${day} 23:59:59.999Z"`
export const all = (...conditions) => conditions.flat().filter(Boolean).join(" && ")
