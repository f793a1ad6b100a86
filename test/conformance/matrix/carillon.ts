/** This parser in the matrix: `inspectMessage`, then the typed getters of a message. */
import {
  inspectMessage,
  type Leniency,
  type NameAddr,
  type Problem,
  SipUri,
  strict,
  tolerant,
  type Uri,
  type Via,
} from '@carillon/sip-parser'
import {
  OTHER_HEADERS,
  type Outcome,
  opaqueUri,
  type ReadAddress,
  type Reading,
  type ReadUri,
  type ReadVia,
} from './reading'

/** An outcome with what this parser says about it. */
export interface CarillonOutcome {
  readonly outcome: Outcome
  /** In the order of the bytes; none when the message is accepted. */
  readonly problems: readonly Problem[]
}

/** Reads a message with the switches given. */
export function readWithCarillon(bytes: Uint8Array, leniency: Leniency = strict): CarillonOutcome {
  const { ok, message, problems } = inspectMessage(bytes, { leniency })
  const [problem] = problems
  if (problem !== undefined) return { outcome: { kind: 'refused', detail: problem.code }, problems }
  if (!ok || message === undefined) throw new Error('a message is refused without a reason')
  const others: Record<string, string> = {}
  for (const name of OTHER_HEADERS) if (message.has(name)) others[name] = message.getAll(name).join(', ')
  const reading: Reading = {
    ...(message.kind === 'request'
      ? { method: message.method, uri: plainUri(message.uri) }
      : { status: message.status, reason: message.reason }),
    vias: message.vias.map(plainVia),
    ...(message.has('From') ? { from: plainAddress(message.from) } : {}),
    ...(message.has('To') ? { to: plainAddress(message.to) } : {}),
    contacts: message.contacts.map(plainAddress),
    ...(message.has('Call-ID') ? { callId: message.callId } : {}),
    cseq: message.cseq,
    ...(message.maxForwards === undefined ? {} : { maxForwards: message.maxForwards }),
    others,
    body: message.body,
    unreadable: [],
  }
  return { outcome: { kind: 'read', reading }, problems }
}

/** The switches of the tolerant preset without which the message is refused. */
export function switchesFor(bytes: Uint8Array): string[] {
  const names = Object.keys(tolerant) as (keyof Leniency)[]
  return names.filter((name) => !inspectMessage(bytes, { leniency: { ...tolerant, [name]: false } }).ok)
}

function plainUri(uri: Uri): ReadUri {
  if (!(uri instanceof SipUri)) return opaqueUri(uri.toString())
  return {
    scheme: uri.scheme,
    ...(uri.user === undefined ? {} : { user: uri.user }),
    host: uri.host,
    ...(uri.port === undefined ? {} : { port: uri.port }),
    params: plainParams(uri.params),
    headers: Object.fromEntries([...uri.headers].map(([name, value]) => [name.toLowerCase(), value])),
  }
}

function plainAddress(address: NameAddr): ReadAddress {
  return {
    ...(address.displayName === undefined ? {} : { displayName: address.displayName }),
    uri: plainUri(address.uri),
    params: plainParams(address.params),
  }
}

function plainVia(via: Via): ReadVia {
  return {
    transport: via.transport,
    host: via.host,
    ...(via.port === undefined ? {} : { port: via.port }),
    params: plainParams(via.params),
  }
}

function plainParams(params: ReadonlyMap<string, string | null>): Record<string, string> {
  return Object.fromEntries([...params].map(([name, value]) => [name, value ?? '']))
}
