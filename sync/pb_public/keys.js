// Single keys: / searches, j and k go through the list, Esc goes back. Enter follows the link that has the focus.

import { firstInView } from "./dom.js"

const OFF = "groundswell-keys"

// A browser may refuse to keep settings; then the keys are on.
const read = () => {
    try { return localStorage.getItem(OFF) !== "off" } catch { return true }
}
const keep = (on) => {
    try { on ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "off") } catch { /* until the page is left */ }
}

/** `back()` leaves what is open, and says whether there was anything. */
export function startKeys({ list, search, back }) {
    let on = read()
    const toggle = document.getElementById("keys-toggle")
    const show = () => {
        toggle.textContent = on ? "Turn them off" : "Turn them on"
        document.getElementById("keys").classList.toggle("off", !on)
    }
    toggle.addEventListener("click", () => {
        on = !on
        keep(on)
        show()
    })
    show()

    function step(by) {
        const items = [...list.children].filter((item) => item.querySelector("h2 a"))
        if (!items.length || list.offsetParent === null) return
        const at = items.indexOf(document.activeElement.closest("li"))
        // The first step goes to what is in view.
        const next = at < 0 ? firstInView(items) : Math.max(0, Math.min(items.length - 1, at + by))
        items[next].querySelector("h2 a").focus({ preventScroll: true })
        items[next].scrollIntoView({ block: "nearest" })
    }

    function escape(event) {
        if (event.target !== search) return back()
        if (search.value) {
            search.value = ""
            search.dispatchEvent(new Event("input", { bubbles: true }))
        } else {
            search.blur()
        }
        return true
    }

    document.addEventListener("keydown", (event) => {
        if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
        if (event.key === "Escape") {
            if (escape(event)) event.preventDefault()
            return
        }
        if (!on || event.target.closest("input, select, textarea, [role=slider]")) return
        const action = { "/": () => search.focus(), j: () => step(1), k: () => step(-1) }[event.key]
        if (!action || search.offsetParent === null) return
        event.preventDefault()
        action()
    })
}
