// A board of records: filters, a ranked list, one opened record, pictures, and live changes. problems.js and issues.js
// say which records a page shows. This module is the same for both.

import { addressOf, parametersOf, readState, tidyDays } from "./address.js"
import { RECORD_ID, fetchCount, fetchFirst, text } from "./api.js"
import { button, element, holdPlace, isPlainClick, keepFocus, retryNotice } from "./dom.js"
import { offerDownload } from "./download.js"
import { filterBar } from "./filters.js"
import { startKeys } from "./keys.js"
import { PagedList } from "./list.js"
import { follow } from "./live.js"
import { replaceParts } from "./posts.js"
import { count, dayOf } from "./words.js"

const REDRAW_MS = 1500
// A list of fewer records is explained.
const FEW = 3

// The fields of records that are days.
const DAYS = ["first_seen", "last_seen", "cluster_date"]

const byId = (id) => document.getElementById(id)

export function startBoard(kind) {
    const parameters = parametersOf(kind)
    const [overview, opened, list, below] = ["overview", "opened", "list", "below"].map(byId)
    const title = document.title
    let state = readState(parameters)
    let shownList = null // the list's part of the state that is shown
    let leftFor = null // the record whose opening has hidden the list
    let openedView = null, opening = null
    let typedLast = false

    // The page restores scroll positions itself, because lists load late.
    history.scrollRestoration = "manual"

    const followed = [kind.collection, kind.explainedBy].filter(Boolean).map((collection) => ({ collection }))
    const say = (text) => { byId("announcement").textContent = text }
    const setFilters = (asked) => kind.filters.filter((name) => asked[name] && asked[name] !== parameters[name].fallback)
    const listPart = ({ pictures, [kind.item]: item, ...rest }) => JSON.stringify(rest)

    const records = new PagedList({
        list, below,
        fetchPage: (page, perPage, withTotal, signal) => kind.fetchPage(state, page, perPage, withTotal, signal),
        render: (record, position) => kind.listItem(record, position, { hrefOf, state }),
        dependsOn: kind.dependsOn,
        loaded(loaded, total) {
            byId("count").textContent = kind.countText(state, total, setFilters(state))
            const sources = new Set(loaded.flatMap(({ source_counts: counts }) => Object.keys(counts ?? {})))
            bar.offer("source", [...sources].filter(parameters.source.accepts))
            if (!total) return emptyNotice()
            return kind.shortNotice && total < FEW && !setFilters(state).length ? shortNotice() : null
        },
        failed(error) {
            byId("count").textContent = error.message
        },
        refreshed({ create, update }) {
            const said = [create && `${count(create, kind.noun.one, kind.noun.many)} new`, update && `${update} changed`]
            if (create || update) say(said.filter(Boolean).join(", "))
        },
    })

    const bar = filterBar(byId("filters"), {
        ...kind, setFilters, clear: byId("clear-filters"),
        changed: (changes, typing) => go(tidyDays({ ...state, ...changes }), typing && typedLast, typing),
        cleared: () => go({ ...state, ...Object.fromEntries(kind.filters.map((name) => [name, parameters[name].fallback ?? ""])) }),
    })

    // --- The address ----------------------------------------------------------------------------

    const hrefOf = (changes) => addressOf(parameters, tidyDays({ ...state, ...changes }))

    function rememberPlace() {
        if (!overview.hidden) history.replaceState({ ...history.state, place: records.place() }, "")
    }

    function go(next, instead = false, typing = false) {
        const address = addressOf(parameters, next)
        typedLast = typing
        if (address === addressOf(parameters, state)) return
        if (!instead) rememberPlace()
        const depth = next[kind.item] ? 1 : 0
        history[instead ? "replaceState" : "pushState"]({ depth }, "", address)
        state = next
        show()
    }

    addEventListener("popstate", (event) => {
        typedLast = false
        state = readState(parameters)
        show(event.state?.place)
    })
    addEventListener("pagehide", rememberPlace)

    // Links within the board change the state, but do not load a page.
    document.addEventListener("click", (event) => {
        const link = event.target.closest?.("a[data-inside]")
        if (!link || !isPlainClick(event)) return
        event.preventDefault()
        // If the reader came from the list, go back in the history: the list keeps its place and filters.
        const depth = history.state?.depth ?? 0
        if (link.dataset.inside === "back" && depth) return history.go(-depth)
        const address = new URL(link.href)
        rememberPlace()
        typedLast = false
        const deeper = new URLSearchParams(address.search).has(kind.item)
        const fromList = !overview.hidden
        // A record that was not opened from the list has no list in its history.
        history.pushState({ depth: deeper && (fromList || depth) ? depth + 1 : 0 }, "", address.pathname + address.search)
        state = readState(parameters)
        show()
    })

    // --- What is shown --------------------------------------------------------------------------

    function show(place = null) {
        bar.show(state)
        kind.shown?.(state, { hrefOf })
        if (state[kind.item]) return showOpened(state[kind.item])
        openedView?.close()
        openedView = opening = null
        follower?.set(followed)
        const wasOpened = !opened.hidden
        opened.hidden = true
        opened.replaceChildren()
        overview.hidden = false
        document.title = title
        if (wasOpened && !place) scrollTo({ top: 0, behavior: "instant" })
        showPictures()
        return showList(place).then(() => {
            if (!wasOpened) return
            const link = records.node(leftFor)?.querySelector("a")
            if (link) link.focus({ preventScroll: true })
            else byId("overview-title").focus({ preventScroll: true })
            leftFor = null
        })
    }

    async function showList(place = null) {
        const part = listPart(state)
        if (part !== shownList) {
            shownList = part
            if (!await records.load(place?.loaded)) return
        }
        if (place) records.restore(place)
    }

    async function showOpened(id) {
        if (openedView?.id === id || opening === id) return
        openedView?.close()
        openedView = null
        leftFor = overview.hidden ? leftFor : id
        overview.hidden = true
        opened.hidden = false
        if (!RECORD_ID.test(id)) {
            opening = null
            opened.removeAttribute("aria-busy")
            opened.replaceChildren(crumb(), ...malformed(id))
            return opened.querySelector("h1").focus({ preventScroll: true })
        }
        opening = id
        opened.setAttribute("aria-busy", "true")
        opened.replaceChildren(crumb(), ...skeletonOpened())
        scrollTo({ top: 0, behavior: "instant" })
        try {
            const [record] = await Promise.all([fetchFirst(kind.collection, { filter: `id = "${id}"` }), kind.prepareOpened?.()])
            if (opening !== id) return
            if (!record) return opened.replaceChildren(crumb(), ...missing())
            openedView = kind.openedView(record, { hrefOf })
            openedView.id = id
            opened.replaceChildren(crumb(), ...openedView.parts(record))
            document.title = `${kind.titleOf(record)} · Groundswell`
            follower?.set([...followed, openedView.posts])
            opened.querySelector("h1").focus({ preventScroll: true })
        } catch (error) {
            if (opening !== id) return
            opened.replaceChildren(crumb(), retryNotice(error, () => {
                opening = null
                showOpened(id)
            }))
        } finally {
            if (opening === id) {
                opening = null
                opened.removeAttribute("aria-busy")
            }
        }
    }

    /** Updates the opened record part by part. Unchanged parts stay as the reader left them. */
    async function refreshOpened() {
        const view = openedView
        if (!view) return
        let record
        try {
            record = await fetchFirst(kind.collection, { filter: `id = "${view.id}"` })
        } catch {
            return // The next change or connection brings the next attempt.
        }
        if (view !== openedView) return
        opened.querySelector(".gone")?.remove()
        if (!record) {
            opened.querySelector(".crumb").after(element("p", { class: "notice gone", role: "status" }, kind.goneText))
            return
        }
        const backToPlace = holdPlace(opened.children)
        keepFocus(opened, (node) => node.closest("[data-part]"), () => replaceParts(opened, view.parts(record), opened.querySelector(".crumb")))
        backToPlace()
        view.refresh?.()
    }

    function crumb() {
        const href = hrefOf({ [kind.item]: "" })
        return element("p", { class: "crumb" }, element("a", { href, "data-inside": "back" }, `← ${kind.backText}`))
    }

    const skeletonOpened = () => [
        element("h1", { class: "skeleton", tabindex: "-1" }, "Loading…"),
        element("div", { class: "skeleton skeleton-text" }), element("div", { class: "skeleton skeleton-block" }),
    ]

    const malformed = (id) => [
        element("h1", { tabindex: "-1" }, `This address names no ${kind.noun.one}`),
        element("p", {}, "It ends in ", element("q", { dir: "auto" }, id), `. The id of a ${kind.noun.one} has 15 small letters and digits: the address may have been cut, or mistyped.`),
    ]

    const missing = () => [
        element("h1", { tabindex: "-1" }, kind.missingTitle),
        element("p", {}, kind.missingText),
    ]

    function emptyNotice() {
        const notice = element("div", { class: "notice" })
        if (setFilters(state).length) filteredNotice(notice)
        else kind.emptyNotice(notice)
        return notice
    }

    /** What the page has to say below a short list, if anything. */
    function shortNotice() {
        const notice = element("div", { class: "notice", hidden: true })
        kind.shortNotice(notice)
        return notice
    }

    /** Filters hide all records, or there are none to hide. */
    async function filteredNotice(notice) {
        const total = await fetchCount(kind.collection, "").catch(() => null)
        if (total === 0) return kind.emptyNotice(notice)
        const there = total === null ? "" : ` The board has ${count(total, kind.noun.one, kind.noun.many)}.`
        notice.append(element("p", {}, `No ${kind.noun.one} matches these filters.${there}`),
            button("Clear filters", () => byId("clear-filters").click()))
    }

    // --- Pictures -------------------------------------------------------------------------------

    const pictures = byId("pictures"), picturesToggle = byId("pictures-toggle")
    let drawnFor = null, drawing = null, redrawing = 0

    function showPictures() {
        pictures.hidden = !state.pictures
        picturesToggle.setAttribute("aria-expanded", String(!pictures.hidden))
        if (!pictures.hidden && drawnFor !== listPart(state)) draw()
    }

    async function draw() {
        drawing?.abort()
        const controller = drawing = new AbortController()
        drawnFor = listPart(state)
        const box = byId("pictures-content")
        box.setAttribute("aria-busy", "true")
        const progress = (text) => { if (!controller.signal.aborted) byId("pictures-progress").textContent = text }
        const pick = (category, impact) => go({ ...state, category, impact: impact ?? "" })
        try {
            progress("Loading…")
            const figures = await kind.pictures(state, { signal: controller.signal, progress, pick, open: (id) => go({ ...state, [kind.item]: id }) })
            if (controller.signal.aborted) return
            box.replaceChildren(...figures)
            progress("")
        } catch (error) {
            if (controller.signal.aborted) return
            drawnFor = null
            progress("")
            box.replaceChildren(retryNotice(error, draw))
        } finally {
            if (controller === drawing) box.removeAttribute("aria-busy")
        }
    }

    picturesToggle.addEventListener("click", () => {
        state = { ...state, pictures: pictures.hidden ? "open" : "" }
        history.replaceState(history.state, "", addressOf(parameters, state))
        showPictures()
    })

    // --- Files ----------------------------------------------------------------------------------

    /** A record as a file has it. PocketBase keeps nothing as "", and a day with a time. */
    function fileRow(record) {
        const valueOf = (field) => (DAYS.includes(field) ? dayOf(record[field]) : record[field] === "" ? null : record[field])
        return {
            [`${kind.item}_id`]: record.id,
            ...Object.fromEntries(kind.fileFields.map((field) => [field, valueOf(field)])),
            link: new URL(addressOf(parameters, { [kind.item]: record.id }), location.href).href,
        }
    }

    offerDownload(document.querySelector(".tally"), {
        noun: kind.noun,
        read: async () => (await kind.fetchWhole(state, ["id", ...kind.fileFields].join())).map(fileRow),
        nameOf: () => ["groundswell", kind.noun.many, kind.dependsOn?.()].filter(Boolean).join("-"),
    })

    // --- What changes ---------------------------------------------------------------------------

    function refreshAll(actions, postsChanged) {
        if (actions !== undefined) {
            if (shownList !== null) records.refresh(actions)
            drawnFor = null
            clearTimeout(redrawing)
            // A picture needs all records, so it is drawn again only when no more changes come.
            redrawing = setTimeout(() => overview.hidden || showPictures(), REDRAW_MS)
            kind.changed?.(state)
            offerLabellers()
        }
        if (openedView && (actions === null || actions?.has(openedView.id) || postsChanged)) refreshOpened()
    }

    const follower = follow(followed, {
        // What explains an empty list changes no record.
        changed: (gathered) => refreshAll(gathered.get(kind.collection) ?? (gathered.has(kind.explainedBy) ? new Map() : undefined),
            Boolean(openedView && gathered.has(openedView.posts.collection))),
        // Read what was pushed after the posts were read.
        followed: () => refreshAll(undefined, true),
        reconnected: () => refreshAll(null, true),
        shown(connection) {
            const node = byId("live")
            node.dataset.connection = connection
            node.textContent = connection === "live" ? "Live" : "Connection lost, trying again…"
        },
    })

    /** All labellers: each request asks for the next name after the last one. */
    async function offerLabellers() {
        if (!kind.filters.includes("labeller")) return
        try {
            for (let found = "", asked = 0; asked < 50; asked++) {
                const record = await fetchFirst(kind.collection, {
                    filter: found && `labeler > ${text(found)}`, sort: "labeler", fields: "labeler",
                })
                if (!record) return
                found = record.labeler
                bar.offer("labeller", [found])
            }
        } catch { /* The list says that the server cannot be reached. */ }
    }

    document.querySelector(".skip").addEventListener("click", (event) => {
        event.preventDefault()
        const target = overview.hidden ? opened.querySelector("h1") : list.querySelector("a") ?? byId("overview-title")
        target?.focus()
    })
    startKeys({
        list, search: byId("filter-q"),
        back() {
            if (!overview.hidden) return bar.fold()
            opened.querySelector(".crumb a")?.click()
            return true
        },
    })

    kind.started?.({ go: (changes) => go(tidyDays({ ...state, ...changes })), hrefOf, state: () => state, reload: () => { shownList = null; show() }, offer: (name, values) => bar.offer(name, values) })
    // The list comes first.
    show(history.state?.place).then(offerLabellers)
}
