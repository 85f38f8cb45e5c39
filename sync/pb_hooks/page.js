// A page of the board with its styles inside, so that a browser paints it without a second answer.

const STYLES = '<link rel="stylesheet" href="board.css">'

function send(e, name) {
    const read = (file) => toString($os.readFile(`${__hooks}/../pb_public/${file}`))
    const nonce = $security.randomString(24)
    require(`${__hooks}/headers.js`).set(e, nonce)
    return e.html(200, read(name)
        .replace("style-src 'self'", `style-src 'self' 'nonce-${nonce}'`)
        // As a function: what it returns is no pattern.
        .replace(STYLES, () => `<style nonce="${nonce}">${read("board.css")}</style>`))
}

module.exports = { send }
