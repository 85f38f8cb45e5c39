// The list as it is filtered, as a file: CSV or JSON, made in the browser from what the server gives.

import { button, element } from "./dom.js"
import { count } from "./words.js"

// A spreadsheet takes a text that starts like this for a formula. An apostrophe before it says that it is none, as in
// the files of python -m groundswell export.
const FORMULA = /^[=+@\t\r-]/

function cell(value) {
    const text = value === null || value === undefined ? ""
        : typeof value === "string" ? value.replace(FORMULA, "'$&")
            : typeof value === "object" ? JSON.stringify(value) : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Records, all with the same fields, as CSV with a header; lists and objects as JSON. */
const asCsv = (records) => [Object.keys(records[0] ?? {}).map(cell), ...records.map((record) => Object.values(record).map(cell))]
    .map((cells) => `${cells.join(",")}\n`).join("")

const FORMATS = {
    csv: { type: "text/csv", write: asCsv },
    json: { type: "application/json", write: (records) => `${JSON.stringify(records, null, 1)}\n` },
}

function save(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
    const link = element("a", { href: address, download: name })
    // Its click is not one on a link of the board.
    link.click()
    setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

/**
 * Adds "Download" to a row of buttons, and below the row what it unfolds. `read()` fetches the records of the file, and
 * `nameOf()` names it, without its ending.
 */
export function offerDownload(row, { noun, read, nameOf }) {
    const said = element("span", { role: "status" })
    async function download(format) {
        const { type, write } = FORMATS[format]
        said.className = "muted"
        said.textContent = "Loading…"
        try {
            const records = await read()
            if (records.length) save(`${nameOf()}.${format}`, type, write(records))
            said.textContent = records.length ? `${count(records.length, noun.one, noun.many)} saved.` : `There is no ${noun.one} to save.`
        } catch (error) {
            said.className = "error"
            said.textContent = error.message
        }
    }
    const panel = element("p", { class: "download", id: "download", hidden: true }, `The ${noun.many} of this list, with its filters and order:`,
        button("CSV", () => download("csv")), button("JSON", () => download("json")), said)
    const toggle = button("", () => {
        panel.hidden = !panel.hidden
        said.textContent = ""
        toggle.setAttribute("aria-expanded", String(!panel.hidden))
    }, { class: "quiet", "aria-expanded": "false", "aria-controls": panel.id })
    // Where it is narrow there is room for the sign alone.
    toggle.append(element("span", { class: "sign", "aria-hidden": "true" }, "↓"), element("span", { class: "name" }, "Download"))
    row.append(toggle)
    row.after(panel)
}
