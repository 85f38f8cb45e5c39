// The filter bar of all pages. Its controls show the state and report changes.

import { element, button, spoken } from "./dom.js"
import { CATEGORIES, IMPACTS, SOURCES, sourceName } from "./words.js"

const TYPING_MS = 250

const ANY = { status: null, tier: "Any", category: "Any", impact: "Any", pay: "Any", source: "Any", name: "Any", labeller: "Any", sort: null }
const LABELS = {
    status: "Status", tier: "How sure", category: "Category", impact: "Impact", pay: "Would pay",
    source: "Source", name: "Names", labeller: "Labeller", sort: "Sort by",
}
// What most readers narrow by stands in one row; the rest is behind "More".
const CHIPS = ["status", "tier", "category", "sort"]
const FOLDED = ["impact", "pay", "source", "name", "labeller"]
const PAYING = { yes: "Yes", no: "No sign of it" }

/**
 * Fills the form with the fields that `filters` names; `changed` is called with the changes, and whether the reader is
 * typing. `clear` is a button elsewhere on the page: it comes and goes without moving a field.
 */
export function filterBar(form, { noun, statuses, tiers, sorts, filters, searched, clear, setFilters, changed, cleared }) {
    const choices = { category: CATEGORIES, impact: IMPACTS, pay: PAYING, source: { ...SOURCES }, name: {}, labeller: {}, sort: sorts }
    if (statuses) choices.status = statuses
    if (tiers) choices.tier = tiers
    const controls = {}

    function labelled(name, label, control) {
        controls[name] = control
        control.id = `filter-${name}`
        control.name = name
        const kind = CHIPS.includes(name) ? "chip" : "field"
        return element("div", { class: `${kind} ${kind}-${name}` }, element("label", { for: control.id }, label), control)
    }
    function select(name) {
        const control = element("select", {})
        control.addEventListener("change", () => changed({ [name]: control.value }, false))
        const field = labelled(name, LABELS[name], control)
        fillOptions(name)
        return field
    }
    function fillOptions(name) {
        const any = ANY[name] ? [element("option", { value: "" }, ANY[name])] : []
        const options = Object.entries(choices[name]).map(([value, label]) => element("option", { value }, label))
        const chosen = controls[name].value
        controls[name].replaceChildren(...any, ...options)
        if (chosen) controls[name].value = chosen
        // Nothing to choose from: for example no watchlist.
        controls[name].parentNode.hidden = !options.length
    }
    function dayInput(name, label) {
        const control = element("input", { type: "date" })
        // While a year is typed the date has years such as 0002 or 0202.
        control.addEventListener("change", () => (!control.value || control.value > "1990") && changed({ [name]: control.value, date: "" }, false))
        return labelled(name, label, control)
    }

    const search = element("input", {
        type: "search", maxlength: "200", placeholder: searched ?? "Search titles, descriptions", autocomplete: "off", enterkeyhint: "search",
    })
    let typing = 0
    const tellSearch = () => {
        clearTimeout(typing)
        typing = 0
        changed({ q: search.value.trim() }, true)
    }
    search.addEventListener("input", () => {
        clearTimeout(typing)
        typing = setTimeout(tellSearch, TYPING_MS)
    })
    form.addEventListener("submit", (event) => {
        event.preventDefault()
        tellSearch()
    })

    const asked = [...filters, "sort"]
    const more = element("div", { class: "filter-fields", id: "filter-fields" },
        FOLDED.filter((name) => asked.includes(name)).map(select), dayInput("from", "From"), dayInput("to", "To"))
    const unfold = (open) => {
        form.classList.toggle("expanded", open)
        toggle.setAttribute("aria-expanded", String(open))
    }
    const toggle = button("More", () => unfold(!form.classList.contains("expanded")), {
        class: "filter-toggle", "aria-expanded": "false", "aria-controls": more.id,
    })
    clear.addEventListener("click", () => {
        search.focus()
        clearTimeout(typing)
        typing = 0
        cleared()
    })
    form.replaceChildren(
        element("div", { class: "filter-row" }, labelled("q", `Search ${noun.many}`, search),
            CHIPS.filter((name) => asked.includes(name)).map(select), toggle),
        more,
    )
    // How many of the filters that are set are out of sight: on a wide page, and on a narrow one, which folds the chips.
    const badge = (number, width) => (number ? element("span", { class: `badge ${width}` }, String(number), spoken(" set")) : null)

    return {
        /** Shows a state. */
        show(state) {
            const set = setFilters(state)
            for (const [name, control] of Object.entries(controls)) {
                // A value from the address becomes an option, even if no record has it.
                if (choices[name] && state[name] && !Object.hasOwn(choices[name], state[name])) this.offer(name, [state[name]])
                // Do not change the search while the reader types.
                if (control === search && (typing || search.value.trim() === state.q)) continue
                control.value = state[name]
                control.parentNode.classList.toggle("set", set.includes(name))
            }
            controls.from.max = state.to
            controls.to.min = state.from
            clear.hidden = !set.length
            const hidden = set.filter((name) => name !== "q" && name !== "date")
            toggle.replaceChildren("More", spoken(" filters"), ...[
                badge(hidden.filter((name) => !CHIPS.includes(name)).length, "wide"), badge(hidden.length, "narrow"),
            ].filter(Boolean))
        },
        /** Hides what is behind "More"; whether it was to be seen. */
        fold() {
            if (!form.classList.contains("expanded")) return false
            unfold(false)
            toggle.focus()
            return true
        },
        /** Adds choices that have been found in the records. */
        offer(name, values) {
            if (!controls[name]) return
            const unknown = values.filter((value) => !Object.hasOwn(choices[name], value))
            if (!unknown.length) return
            for (const value of unknown) choices[name][value] = name === "source" ? sourceName(value) : value
            fillOptions(name)
        },
    }
}
