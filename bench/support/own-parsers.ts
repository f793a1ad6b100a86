/** Our parser as a contestant: one message, read as far as the task asks. */
import { type NameAddr, parseMessage, type SipMessage, SipUri, type Uri } from '@carillon/sip-parser'
import type { Fixture } from '../fixtures/messages.ts'
import type { EveryHeader } from './every-header.ts'
import type { Contestant } from './measure.ts'

/** Start line, framing and a table of the header lines; no value is decoded. */
export function framed(fixture: Fixture): Contestant {
  return ours(fixture, 'split', 'start line and framing; headers found, none decoded', (message) =>
    message.has('Call-ID'),
  )
}

/** What a proxy needs to route: request URI, top Via, From, To, Call-ID, CSeq, Max-Forwards, Route. */
export function proxyFields(fixture: Fixture): Contestant {
  const does = 'request URI, top Via, From, To, Call-ID, CSeq, Max-Forwards, Route decoded, URIs too'
  return ours(fixture, 'proxy', does, readProxyFields)
}

/** Every header through its typed getter. */
export function decodedWhole(fixture: Fixture, every: EveryHeader): Contestant {
  const does = `all ${every.lines} header lines decoded, URIs and lists too`
  return ours(fixture, 'every', does, every.read)
}

/** The same, and each part that is cut out on demand: display names, header and URI parameters. */
export function readWhole(fixture: Fixture, every: EveryHeader): Contestant {
  const does = 'the same, and every parameter and display name read'
  return ours(fixture, 'every', does, (message) => readParts(message) + every.read(message).length)
}

/** What a proxy reads of a message. */
export function readProxyFields(message: SipMessage): unknown {
  const target = message.kind === 'request' ? (message.uri as SipUri).host : message.status
  return [
    target,
    message.via.branch,
    message.from.tag,
    message.to.tag,
    message.callId,
    message.cseq.seq,
    message.maxForwards,
    message.routes[0],
  ]
}

/** The parsed fixture. Throws when it is refused. */
export function parsed(bytes: Uint8Array): SipMessage {
  const result = parseMessage(bytes)
  if (!result.ok) throw new Error(`not parsed: ${result.error.sentence}`)
  return result.message
}

function ours(fixture: Fixture, task: string, does: string, read: (message: SipMessage) => unknown): Contestant {
  const { bytes } = fixture
  return { name: 'carillon', does, task, run: () => read(parsed(bytes)) }
}

function readParts(message: SipMessage): number {
  let parts = message.kind === 'request' ? uriParts(message.uri) : 0
  for (const via of message.vias) parts += via.params.size
  parts += addressParts(message.from) + addressParts(message.to)
  for (const list of [message.contacts, message.routes, message.recordRoutes]) {
    for (const address of list) parts += addressParts(address)
  }
  return parts
}

function addressParts(address: NameAddr): number {
  return address.params.size + (address.displayName?.length ?? 0) + uriParts(address.uri)
}

function uriParts(uri: Uri): number {
  return uri instanceof SipUri ? uri.params.size + (uri.user?.length ?? 0) : 0
}
