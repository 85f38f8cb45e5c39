// A list of records that grows as it is scrolled and that can be brought up to date in place.

import { MOST_PER_PAGE } from "./api.js"
import { button, element, firstInView, holdPlace, keepAt, keepFocus, retryNotice, spoken } from "./dom.js"
import { formatNumber } from "./words.js"

// So many records come first, so that a page stands soon; then twice as many, up to MOST at a time.
const FIRST = 20
export const MOST = 80
const SEEN_MS = 8000
const RETRY_MS = 5000
const NEAR = 60 // items from the view
const FRAME_MS = 8
const MARKS = { create: "New", update: "Changed" }

/** How many records to fetch after so many: as many as are there, so that they are a page of the server's. */
function pageSize(loaded, first) {
    let size = first
    while (size < MOST && loaded >= 2 * size) size *= 2
    return size
}

/** What a record holds, as text: the server sends its fields in any order. */
const contentOf = (record) => JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

/**
 * `fetchPage(page, perPage, withTotal, signal)` answers as PocketBase does; `first` is how many records come first, 20 or
 * 80. `render(record, position)` makes a list item; `dependsOn()` says what else it is made of. `loaded(records, total)`
 * is told of what has come, and may return what is shown below a complete list; `failed(error)` and
 * `refreshed({ create, update })` are told, too.
 */
export class PagedList {
    #options
    #entries = new Map() // id → { content, shownAs, node }
    #records = []
    #total = null
    #controller = null
    #marks = new Map() // id → text
    #timers = new WeakMap()
    #seen = new IntersectionObserver((entries) => this.#watch(entries))
    #near = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.#more(false), { rootMargin: "1200px" })
    #busy = false
    #loading = null // how many a load under way is to fetch
    #actions = new Map()
    #stale = new Map() // id → [record, position]: known, and not yet shown as they are
    #catchingUp = 0
    #retrying = 0

    constructor(options) {
        this.#options = { first: FIRST, ...options }
        const { list, below } = options
        list.setAttribute("role", "list")
        this.moreButton = button("Show more", () => this.#more(true), { class: "more" })
        this.progress = element("p", { class: "muted" })
        below.replaceChildren()
        this.#near.observe(below)
    }

    get length() { return this.#records.length }
    get #complete() { return this.#total !== null && this.#records.length >= this.#total }

    /** Stops what is on its way. */
    stop() {
        clearTimeout(this.#retrying)
        this.#controller?.abort()
        this.#controller = null
        this.#busy = false
    }

    /** Fetches anew, at least so many; true where that came to its end. */
    async load(atLeast = 0) {
        this.#marks.clear()
        this.#actions.clear()
        this.#loading = atLeast
        this.#options.list.setAttribute("aria-busy", "true")
        return this.#fetch(async (signal) => {
            const { items, totalItems } = await this.#upTo(Math.max(this.#options.first, atLeast), signal)
            this.#loading = null
            // Other filters stand in the links, too: nothing is kept.
            this.#clear()
            this.#show(items, totalItems)
        }, (error) => {
            this.#loading = null
            this.#clear()
            this.#options.failed?.(error)
            this.#options.below.replaceChildren(retryNotice(error, async () => {
                if (await this.load(atLeast)) this.#options.list.querySelector("a")?.focus({ preventScroll: true })
            }))
        })
    }

    /** Updates the loaded records. actions maps ids to what happened to them; null if that is unknown. */
    async refresh(actions) {
        // A change of the filters goes before an update.
        if (this.#loading !== null) return this.load(this.#loading)
        for (const [id, action] of actions ?? []) this.#actions.set(id, action)
        return this.#fetch(async (signal) => {
            const { items, totalItems } = await this.#upTo(Math.max(this.#options.first, this.length), signal)
            const before = this.#complete
            const changes = { create: 0, update: 0 }
            for (const record of items) {
                const known = this.#entries.get(record.id)
                const action = actions ? this.#actions.get(record.id) : known ? "update" : before && "create"
                if (!action || action === "delete" || known?.content === contentOf(record)) continue
                this.#marks.set(record.id, MARKS[action])
                changes[action]++
            }
            this.#actions.clear()
            this.#show(items, totalItems)
            this.#options.refreshed?.(changes)
        }, () => {
            this.#retrying = setTimeout(() => this.refresh(actions), RETRY_MS)
        })
    }

    /** The place that the reader sees, to return to later. */
    place() {
        const nodes = this.#options.list.children
        if (!this.length || nodes[0].getBoundingClientRect().top >= 0) return { scroll: scrollY, loaded: this.length }
        const node = nodes[firstInView(nodes)]
        return { scroll: scrollY, loaded: this.length, id: node.dataset.id, top: node.getBoundingClientRect().top }
    }

    /** Brings the reader back to a place. */
    restore(place) {
        scrollTo({ top: place.scroll, behavior: "instant" })
        const node = this.node(place.id)
        if (node) keepAt(node, place.top)
    }

    node(id) { return this.#entries.get(id)?.node }

    async #fetch(work, failed) {
        this.stop()
        const controller = this.#controller = new AbortController()
        this.#busy = true
        try {
            await work(controller.signal)
            return true
        } catch (error) {
            if (controller.signal.aborted) return false
            failed(error)
            return false
        } finally {
            if (controller === this.#controller) {
                this.#busy = false
                this.#options.list.removeAttribute("aria-busy")
            }
        }
    }

    async #upTo(length, signal) {
        const size = pageSize(length, this.#options.first)
        const whole = Math.ceil(length / size) * size
        const perPage = Math.min(whole, MOST_PER_PAGE)
        const items = []
        let totalItems = 0
        for (let page = 1; (page - 1) * perPage < whole; page++) {
            const answer = await this.#options.fetchPage(page, perPage, page === 1, signal)
            if (page === 1) totalItems = answer.totalItems
            items.push(...answer.items)
            if (answer.items.length < perPage) break
        }
        return { items, totalItems }
    }

    #more(asked) {
        if (this.#busy || this.#total === null || this.#complete || !this.#options.list.isConnected) return
        // A hidden list loads nothing.
        if (!asked && this.#options.below.offsetParent === null) return
        const size = pageSize(this.length, this.#options.first)
        const page = Math.floor(this.length / size) + 1
        this.#fetch(async (signal) => {
            const { items } = await this.#options.fetchPage(page, size, false, signal)
            const first = this.length
            // A record that moved meanwhile can come twice.
            const next = items.filter(({ id }) => !this.#entries.has(id))
            const total = items.length < size ? first + next.length : this.#total
            this.#append(next, total)
            if (asked) this.#options.list.children[first]?.querySelector("a, button")?.focus()
        }, (error) => this.#options.below.replaceChildren(retryNotice(error, () => this.#more(true))))
    }

    #clear() {
        this.#stale.clear()
        this.#entries.clear()
        this.#records = []
        this.#total = null
        this.#options.list.replaceChildren()
    }

    #show(items, total) {
        const { list } = this.#options
        const inView = list.firstElementChild ? firstInView(list.children) : 0
        const backToPlace = holdPlace(list.children)
        this.#stale.clear()
        keepFocus(list, (node) => node.closest("li"), () => {
            const ids = new Set(items.map(({ id }) => id))
            for (const [id, { node }] of this.#entries) {
                if (ids.has(id)) continue
                node.remove()
                this.#entries.delete(id)
            }
            // Skeletons and other elements that are no records.
            for (const node of [...list.children]) if (!ids.has(node.dataset.id)) node.remove()
            this.#records = items.filter((record) => ids.delete(record.id))
            let next = list.firstElementChild
            this.#records.forEach((record, position) => {
                const node = this.#entry(record, position, Math.abs(position - inView) > NEAR)
                // A record that moved down is removed and inserted, which moves one element instead of many.
                while (next && next !== node && next.nextElementSibling === node) {
                    const passed = next
                    next = node
                    passed.remove()
                }
                if (node === next) next = node.nextElementSibling
                else list.insertBefore(node, next)
            })
        })
        backToPlace()
        this.#shown(items, total)
        this.#catchUp()
    }

    /** Redraws changed items outside the view, a few per frame: thousands at once would freeze the page. */
    #catchUp() {
        if (this.#catchingUp || !this.#stale.size) return
        this.#catchingUp = requestAnimationFrame(() => {
            this.#catchingUp = 0
            const end = performance.now() + FRAME_MS
            keepFocus(this.#options.list, (node) => node.closest("li"), () => {
                for (const [id, [record, position]] of this.#stale) {
                    this.#stale.delete(id)
                    this.#entry(record, position, false)
                    if (performance.now() > end) break
                }
            })
            this.#catchUp()
        })
    }

    #append(items, total) {
        this.#options.list.append(...items.map((record, index) => this.#entry(record, this.length + index, false)))
        this.#records = [...this.#records, ...items]
        this.#shown(items, total)
    }

    #shown(items, total) {
        this.#total = Math.max(total, this.length)
        this.#showBelow(this.#options.loaded?.(items, this.#total))
        // An observer reports only changes, so an end that stays in view must be checked here.
        this.#near.unobserve(this.#options.below)
        this.#near.observe(this.#options.below)
    }

    /** The item of a record, as it is now; where it is known and may be late, as it is soon. */
    #entry(record, position, late) {
        const content = contentOf(record)
        const shownAs = content + (this.#options.dependsOn?.() ?? "")
        const known = this.#entries.get(record.id)
        if (known?.shownAs === shownAs) {
            const rank = known.node.querySelector("[data-position]")
            if (rank && rank.textContent !== String(position + 1)) rank.textContent = String(position + 1)
            if (this.#marks.has(record.id) && !known.node.classList.contains("fresh")) this.#mark(known.node, record.id)
            return known.node
        }
        if (known && late) {
            this.#stale.set(record.id, [record, position])
            known.content = content
            return known.node
        }
        const made = this.#options.render(record, position)
        const node = known?.node ?? made
        if (known) node.replaceChildren(...made.childNodes)
        node.dataset.id = record.id
        this.#entries.set(record.id, { content, shownAs, node })
        if (this.#marks.has(record.id)) this.#mark(node, record.id)
        return node
    }

    #mark(node, id) {
        node.querySelector(".mark")?.remove()
        node.classList.add("fresh")
        node.prepend(element("span", { class: "mark" }, this.#marks.get(id), spoken(": ")))
        this.#seen.observe(node)
    }

    /** A mark goes when it has been in view for a while. */
    #watch(entries) {
        for (const { target, isIntersecting } of entries) {
            clearTimeout(this.#timers.get(target))
            if (!isIntersecting) continue
            this.#timers.set(target, setTimeout(() => {
                this.#seen.unobserve(target)
                this.#marks.delete(target.dataset.id)
                target.classList.remove("fresh")
                target.querySelector(".mark")?.remove()
            }, SEEN_MS))
        }
    }

    #showBelow(instead) {
        const { below } = this.#options
        if (!this.length) return below.replaceChildren(...[instead ?? []].flat())
        if (this.#complete) return below.replaceChildren(...[instead ?? []].flat())
        this.progress.textContent = `${formatNumber(this.length)} of ${formatNumber(this.#total)} shown`
        // An item that is in place already stays, because it may have the focus.
        if (this.moreButton.parentNode !== below) below.replaceChildren(this.moreButton, this.progress)
    }
}
