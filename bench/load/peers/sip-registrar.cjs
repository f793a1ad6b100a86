/**
 * A registrar on npm `sip`, as its documentation shows one: bindings in a Map, digest by its own module when asked for.
 *
 *   node sip-registrar.cjs PORT none|digest
 */
const sip = require('sip')
const digest = require('sip/digest.js')

const port = Number(process.argv[2])
const withDigest = process.argv[3] === 'digest'
const realm = 'carillon.test'
/** Contacts by user, and the digest state of each. */
const bindings = new Map()
const sessions = new Map()

sip.start({ address: '127.0.0.1', port, udp: true, tcp: false }, (request) => {
  if (request.method !== 'REGISTER') {
    sip.send(sip.makeResponse(request, 405, 'Method Not Allowed'))
    return
  }
  const user = sip.parseUri(request.headers.to.uri).user
  if (withDigest) {
    let session = sessions.get(user)
    if (session === undefined) {
      session = { realm }
      sessions.set(user, session)
    }
    if (!digest.authenticateRequest(session, request, { user, password: 'secret' })) {
      session.cnonce = undefined
      sip.send(digest.challenge(session, sip.makeResponse(request, 401, 'Unauthorized')))
      return
    }
  }
  const seconds = Number(request.headers.expires ?? 3600)
  const contacts = request.headers.contact.map((contact) => ({
    ...contact,
    params: { ...contact.params, expires: String(seconds) },
  }))
  bindings.set(user, { contacts, expiresAtMs: Date.now() + seconds * 1000 })
  sip.send(sip.makeResponse(request, 200, 'OK', { headers: { contact: contacts } }))
})
console.log('ready')
